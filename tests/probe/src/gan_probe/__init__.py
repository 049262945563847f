"""Systems of the literature as a distribution of plugins of its own, each one Python file and one experiment."""
