"""Built-in terms."""
