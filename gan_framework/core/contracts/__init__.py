"""What plugins of the core derive from, a file for each contract."""
