"""The backends of users that AUTH_USER_BACKEND in ``settings.py`` names."""
