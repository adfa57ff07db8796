"""Shortcuts: methods of the current request as functions."""

from typing import Any, NoReturn

from antiphon.dialects.asok.context import current_request
from antiphon.dialects.asok.exceptions import abort, redirect

__all__ = ["abort", "back", "redirect", "render_block", "render_template"]


def back(default: str = "/") -> NoReturn:
    """End the current request with a redirect to the page that it comes from, or to ``default``."""
    current_request.back(default)


def render_template(filepath: str, **context: Any) -> str:
    """Return the text of a template for the current request."""
    return current_request.html(filepath, **context)


def render_block(filepath: str, block_name: str | None = None, **context: Any) -> str:
    """Return the text of one block of a template for the current request."""
    return current_request.block(filepath, block_name, **context)
