"""The errors for what is larger, longer, deeper or slower than is accepted."""

from typing import TypeVar

from antiphon.http.errors import HTTPError

E = TypeVar("E", bound=HTTPError)


def over_limit(kind: type[E], limit: str, maximum: float, detail: str) -> E:
    """An error that names a limit and how much that is, for people and, as members of its problem details, for
    programs: its ``type`` (RFC 9457 §3.1.1) ends with the limit's name.
    """
    return kind(detail, type=f"urn:antiphon:limit:{limit}", limit=limit, maximum=maximum)
