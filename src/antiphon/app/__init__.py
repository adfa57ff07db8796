"""The application object: routes, hooks, middleware and error handlers over requests and responses."""

from antiphon.app.application import App

__all__ = ["App"]
