"""Metrics: what turns two sets of features into scores."""
