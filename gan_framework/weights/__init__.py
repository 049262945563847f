"""Trained weights: what networks start from, and what of them is left alone."""
