"""Races between requests, found and replayed from a number: ``races`` runs requests beside each other, step by step."""

from antiphon.lazy import import_on_use

__all__, __getattr__, __dir__ = import_on_use(__name__)
