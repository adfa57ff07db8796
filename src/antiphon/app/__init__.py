"""The application object: routes, hooks, middleware and error handlers over requests and responses."""
