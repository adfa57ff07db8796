"""Variables of the environment, and the file `.env` that adds to them."""
