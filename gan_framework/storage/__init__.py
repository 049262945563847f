"""Files: how they are written, locked and laid out."""
