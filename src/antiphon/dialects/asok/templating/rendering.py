"""Templates of an Asok project as text: the whole of one, or some of its blocks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon.dialects.asok.request import Request


def render_html(request: "Request", filepath: str, context: Mapping[str, Any]) -> str:
    """Return the text of a template; of those blocks alone that the request asks for by ``X-Block``."""
    raise NotImplementedError(f"{filepath} can't be rendered yet for {request!r} and {context!r}")


def render_block(request: "Request", filepath: str, block_name: str | None, context: Mapping[str, Any]) -> str:
    """Return the text of one block of a template."""
    raise NotImplementedError(f"{block_name} of {filepath} can't be rendered yet for {request!r} and {context!r}")
