"""Heads for frameworks that are servers themselves, made from plain values."""

from collections.abc import Callable, Iterable

from antiphon.frameworks.leaving import wait_left
from antiphon.http.head import Address, RequestHead
from antiphon.http.urls.url import unquote


class ServedHead(RequestHead):
    """A head made from plain values, on an event loop, whose body the framework has received, or will receive."""

    blocks = False
    __slots__ = ("_has_body", "has_left")
    _has_body: bool
    has_left: Callable[[], bool]

    @property
    def has_body(self) -> bool:
        """True if the framework says so."""
        return self._has_body

    async def wait_disconnect(self) -> None:
        """Wait until the client has left."""
        await wait_left(self.has_left)


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
    has_left: Callable[[], bool],
) -> ServedHead:
    """Return the head of a request. ``target`` is the path and query as they were sent.

    ``has_left`` says whether the client has disconnected.
    """
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
    head._has_body, head.has_left = has_body, has_left
    return head
