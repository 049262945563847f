"""Comparing runs: groups over seeds, ranks, and what differs."""
