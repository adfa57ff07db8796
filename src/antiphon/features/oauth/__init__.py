"""The application as a protected resource of OAuth 2: access tokens of identity providers, and their scopes."""
