"""The layer below the application: hosts for other frameworks, and what such hosts and features are built from.

This is provisional: until 1.0, a minor version may change names here, and the changelog describes how. Applications
don't need these names.
"""

from antiphon.lazy import import_on_use

__all__, __getattr__, __dir__ = import_on_use(__name__)
