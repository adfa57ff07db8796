"""The code of handlers as it is read: its values and its paths, without running any of it."""
