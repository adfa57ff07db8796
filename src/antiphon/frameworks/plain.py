"""Heads for frameworks that are servers themselves, made from plain values."""

from collections.abc import Iterable

from antiphon.http.head import Address, RequestHead
from antiphon.http.urls.url import unquote


class ServedHead(RequestHead):
    """A head made from plain values, on an event loop, whose body the framework has received, or will receive."""

    blocks = False
    __slots__ = ("_has_body",)
    _has_body: bool

    @property
    def has_body(self) -> bool:
        """True if the framework says so."""
        return self._has_body


def plain_head(
    method: str,
    target: str,
    fields: Iterable[tuple[str, str]],
    scheme: str,
    host: str,
    http_version: str,
    client: str | None,
    *,
    has_body: bool,
) -> ServedHead:
    """Return the head of a request. ``target`` is the path and query as they were sent."""
    path, _, query = target.partition("?")
    raw = path.encode("latin-1", "replace")
    head = ServedHead(
        method,
        unquote(raw) or "/",
        query.encode("latin-1", "replace"),
        scheme=scheme,
        authority=host,
        raw_path=raw,
        http_version=http_version,
        client=Address(client, None) if client else None,
    )
    head._fields = [(name.lower(), value) for name, value in fields]
    head._has_body = has_body
    return head
