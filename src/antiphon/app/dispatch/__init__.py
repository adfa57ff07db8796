"""Handling one request according to its plan: body, middleware, hooks, dependencies, handler, and closing."""
