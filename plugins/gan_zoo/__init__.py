"""The built-in plugins: every network, loss and technique that a paper names, one idea per file."""
