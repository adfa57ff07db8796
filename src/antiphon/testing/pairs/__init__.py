"""Features beside each other, from a seed: ``python -m antiphon.testing.pairs`` tries random applications."""

from antiphon.lazy import import_on_use

__all__, __getattr__, __dir__ = import_on_use(__name__)
