"""Filters and formatters for `logging` that add the request to records."""

from antiphon.lazy import import_on_use

__all__, __getattr__, __dir__ = import_on_use(__name__)
