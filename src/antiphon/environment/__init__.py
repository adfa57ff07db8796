"""Environment variables, and the file `.env` that adds to them."""
