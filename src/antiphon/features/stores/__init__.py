"""Stores: data under keys that expire, for sessions, rate limits and idempotent writes, and parts for your own."""

from antiphon.embedding import import_on_use

__reads__ = ()

__all__, __getattr__, __dir__ = import_on_use(__name__)
