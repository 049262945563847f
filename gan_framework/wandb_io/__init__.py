"""What is read from W&B's records and built for its pages."""
