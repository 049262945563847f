"""`hydra/sweeper=optuna`: a search over settings with Optuna."""
