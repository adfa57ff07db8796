"""An application's plans, made before its first request, and finding the plan for each request."""
