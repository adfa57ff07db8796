"""User backends, one of which AUTH_USER_BACKEND in ``settings.py`` names."""
