"""The application as an OAuth 2 protected resource: access tokens of identity providers, and their scopes."""

__reads__ = "named"
