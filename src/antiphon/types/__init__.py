"""The types that other signatures mention, for your own annotations. Programs rarely create these objects."""

from antiphon.lazy import import_on_use

__all__, __getattr__, __dir__ = import_on_use(__name__)
