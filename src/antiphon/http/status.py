"""Status codes and their phrases: IANA's (RFC 9110 §15), 418, and 499, which only logs show."""

from http import HTTPStatus

_OVERRIDES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    418: "I'm a teapot",
    422: "Unprocessable Content",
    499: "Client Closed Request",
}
"""Phrases of RFC 9110 that older Python versions lack, and two that aren't registered with IANA."""

PHRASES: dict[int, str] = dict(sorted(({status.value: status.phrase for status in HTTPStatus} | _OVERRIDES).items()))

_CLASSES = {1: "Informational", 2: "Success", 3: "Redirection", 4: "Client Error", 5: "Server Error"}


def phrase(code: int) -> str:
    """Return the reason phrase of a status code; for an unknown code, the name of its class (RFC 9110 §15)."""
    return PHRASES.get(code) or _CLASSES.get(code // 100, "Unknown")


class StatusLines(dict[int, str]):
    """Status lines by code, each with the usual phrase unless it was given another."""

    def __missing__(self, code: int) -> str:
        return f"{code} {phrase(code)}"


STATUS_LINES = StatusLines((code, f"{code} {phrase}") for code, phrase in PHRASES.items())
"""Status lines for WSGI's ``start_response``, such as ``"404 Not Found"``, by code."""


def has_body(code: int) -> bool:
    """True if a response with this status may have content (RFC 9110 §6.4.1)."""
    return code >= 200 and code != 204 and code != 304
