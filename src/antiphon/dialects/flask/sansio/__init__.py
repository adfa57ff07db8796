"""Code that does not depend on how requests arrive: registration of routes, hooks, error handlers and blueprints."""
