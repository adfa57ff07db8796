"""The `antiphon` command, and the names that other packages' commands import."""

from antiphon.lazy import import_on_use

__reads__ = "anything"

__all__, __getattr__, __dir__ = import_on_use(__name__)
