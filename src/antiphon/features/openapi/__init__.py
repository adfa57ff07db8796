"""OpenAPI documents, made by reading the code of an application's handlers."""
