"""How pictures look: colours and markers of methods, images with what was found on them."""
