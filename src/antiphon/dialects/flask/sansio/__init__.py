"""Everything that does not depend on how requests arrive: registration of routes, hooks, handlers and blueprints."""
