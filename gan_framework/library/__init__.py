"""The framework from Python: load a trained model, train one, publish it."""
