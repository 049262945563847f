"""Trackers: where a run's progress is shown beside its own `metrics.jsonl`."""
