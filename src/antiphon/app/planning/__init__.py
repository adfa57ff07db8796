"""The plans of an application, made before its first request, and the finding of the one for each request."""
