"""Status phrases as WebOb has them, and text for HTML."""

from html import escape
from typing import Any

from antiphon.http.status import PHRASES

__all__ = ["html_escape", "status_generic_reasons", "status_reasons"]

status_reasons: dict[int, str] = PHRASES | {
    207: "Multi Status",
    413: "Request Entity Too Large",
    414: "Request URI Too Long",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
    451: "Unavailable for Legal Reasons",
    510: "Not Extended",
}
"""The phrase of each status code, with WebOb's names where RFC 9110 has others."""

status_generic_reasons: dict[int, str] = {
    1: "Continue",
    2: "Success",
    3: "Multiple Choices",
    4: "Unknown Client Error",
    5: "Unknown Server Error",
}
"""The phrase of an unknown status code, by its first digit."""


def html_escape(s: Any) -> str:
    """Return an object's text for HTML, in ASCII; "" for None. An object with ``__html__`` gives its own."""
    if s is None:
        return ""
    own = getattr(s, "__html__", None)
    if callable(own):
        return str(own())
    text = s.decode() if isinstance(s, bytes) else str(s)
    return escape(text, quote=True).encode("ascii", "xmlcharrefreplace").decode("ascii")
