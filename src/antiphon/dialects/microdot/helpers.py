"""Helpers for decorating handlers."""

from functools import wraps

__all__ = ["wraps"]
