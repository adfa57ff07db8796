"""Long searches for input that is read wrongly: `python -m fuzz.<what>`."""
