"""The response to one request, by its plan: body, middleware, hooks, dependencies, handler, and closing."""
