"""OpenAPI documents, created by reading the code of an application's handlers."""

__reads__ = ()
