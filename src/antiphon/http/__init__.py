"""HTTP values: each class parses, stores and prints one kind of value, without I/O."""

from antiphon.lazy import import_on_use

__all__, __getattr__, __dir__ = import_on_use(__name__)
