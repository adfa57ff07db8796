"""The application of the README, and the same one written with other frameworks."""
