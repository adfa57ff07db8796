"""Helpers for decorators of handlers."""

from functools import wraps

__all__ = ["wraps"]
