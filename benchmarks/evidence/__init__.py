"""Many short runs, several at once, and what a comparison of them shows: shared by the benchmarks beside it."""
