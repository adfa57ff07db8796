"""User backends, to be named by AUTH_USER_BACKEND in ``settings.py``."""
