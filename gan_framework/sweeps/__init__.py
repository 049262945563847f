"""Sweeps: many runs that cannot harm one another, in folders that an interrupted sweep finds again."""
