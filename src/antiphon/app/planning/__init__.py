"""Making an application's plans before its first request, and finding the plan for each request."""
