"""Plugins for gan-framework: a loss, a strategy and a generator."""
