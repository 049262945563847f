"""Samplers: other ways of drawing samples from a trained game."""
