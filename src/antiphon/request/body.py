"""Readings of a request's body: as a whole, as a form, as JSON, and as values of given types.

``Request`` has a property or a method for each of them, which keeps its result.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn, TypeVar

from antiphon.body.content import Content, NotLoadedError
from antiphon.explanations import explained
from antiphon.http.errors import ContentTooLarge, UnsupportedMediaType, over_limit
from antiphon.http.limits import Limits
from antiphon.http.multidict import MissingKey

T = TypeVar("T")

FORM = "application/x-www-form-urlencoded"

DEFAULT_LIMITS = Limits()


class Members(dict[str, Any]):
    """The members of a JSON object. One that is missing, read with ``[]``, is a KeyError and a 400, as in a form."""

    __slots__ = ()

    def __missing__(self, name: str) -> NoReturn:
        raise MissingKey(name)


def not_loaded(content: Content, reader: str, receive: str) -> Exception:
    """Return the error for code of ``reader`` on an event loop that reads a body that has not arrived yet."""
    if receive == "load":
        who = f"a hook or middleware of {reader}"
        fix = (
            "first, in an `async def`, since a large body, or one of unknown length, arrives after them; or write"
            " @app.middleware(loads_body=True)"
        )
    else:
        who = reader
        fix = 'first, or give its route receive="load"'
    return content.failure_again() or explained(
        "body-not-loaded",
        NotLoadedError(
            f"this request's body is not loaded yet, and {who} is on an event loop, where nothing may wait for it:"
            f" `await request.aload()` {fix}"
        ),
    )


def wrong_type(wanted: str, content_type: str | None) -> UnsupportedMediaType:
    """Return the error for a body of the wrong type. ``content_type`` is what was declared."""
    sent = f"not {content_type[:80]}" if content_type else "but its type is not declared"
    return UnsupportedMediaType(f"The body must be {wanted}, {sent}.")


def read_whole(content: Content, limits: Limits, *, is_json: bool = False) -> bytes:
    """Return the bytes of a body that was received. Raises ContentTooLarge (413) for more than the limits allow."""
    content.check_size(limits)
    if content.size > limits.memory:
        detail = f"The body is longer than the {limits.memory} bytes that are read as a whole."
        raise over_limit(ContentTooLarge, "memory", limits.memory, detail)
    if is_json and content.size > limits.json:
        detail = f"The body is longer than the {limits.json} bytes that are read as JSON."
        raise over_limit(ContentTooLarge, "json", limits.json, detail)
    return content.read_all()


@cache
def json_decoder() -> Callable[..., object]:
    """Return the function that decodes JSON.

    It is imported on first use; a repeated import statement takes as long as decoding a small body.
    """
    from antiphon.serialization.json import decode_json

    return decode_json
