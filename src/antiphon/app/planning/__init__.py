"""The plans of an application, made before its first request, and the search for the plan of each request."""
