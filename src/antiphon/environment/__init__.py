"""Environment variables, and the `.env` file that adds variables."""
