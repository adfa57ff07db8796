"""Makes imports of another library find its dialect: `install("werkzeug")`, before anything imports the original.

Dialects are found through the `antiphon.dialects` group of entry points, and imported only when code asks for them.
"""

from antiphon.dialect_imports.installing import TooLate, UnknownDialect, install, known_dialects

__all__ = ["TooLate", "UnknownDialect", "install", "known_dialects"]
