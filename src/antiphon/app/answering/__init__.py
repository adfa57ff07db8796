"""The answer to one request, by its plan: body, middleware, hooks, places, handler, and the way back."""
