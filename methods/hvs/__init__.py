"""Methods after the human visual system: local contrast measures."""
