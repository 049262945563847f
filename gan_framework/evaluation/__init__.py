"""Scores, each with the protocol under which it was measured."""
