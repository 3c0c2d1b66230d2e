"""How pictures look: sheet and type, colours of methods, images with what was found on them."""
