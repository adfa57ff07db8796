"""What decorators of handlers are made with."""

from functools import wraps

__all__ = ["wraps"]
