"""Environment variables, and the file `.env` that adds variables."""
