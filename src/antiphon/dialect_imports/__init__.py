"""Imports of `werkzeug` and its like that find a dialect: `install("werkzeug")`, before anything imports it.

It imports no dialect itself: they are found by the entry-point group `antiphon.dialects`.
"""

from antiphon.dialect_imports.entries import UnknownDialect, known_dialects
from antiphon.dialect_imports.installing import TooLate, install

__all__ = ["TooLate", "UnknownDialect", "install", "known_dialects"]
