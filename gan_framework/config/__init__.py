"""The configuration: its schema, how it is composed, and what is said when it cannot be."""
