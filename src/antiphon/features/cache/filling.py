"""The production of one response that a cache may store: the response stored before it, and the conditions to send."""

from collections.abc import Awaitable, Mapping
from typing import Any, Self

from antiphon import Request, Response
from antiphon.embedding import Head, RequestHead, WatchedHead
from antiphon.features.cache.entry import Args, StoredResponse
from antiphon.http import CacheControl

NO_DIRECTIVES = CacheControl()
"""The directives that most requests have."""


class AwaitedResponse:
    """A response that is not ready yet, for middleware on an event loop to return.

    Middleware may yield one that turns out to be None: then the handler is called.
    """

    def __init__(self, response: Awaitable[Response | None]) -> None:
        self._response: Awaitable[Any] = response

    def __response__(self, request: Request) -> Awaitable[Response]:
        return self._response


class Fill:
    """A response that is being made: its key, its claim, and the stored response that it replaces.

    ``why`` is the reason for calling the handler, as a Cache-Status token (RFC 9211 §2.2). ``validates`` is true if the
    handler is called with the cache's own conditions. ``other``, if any, is first awaited: another's response. ``args``
    are the query's arguments in the key.
    """

    __slots__ = ("args", "asked", "at", "directives", "kept", "key", "other", "token", "validates", "why")

    def __init__(
        self, key: str, directives: CacheControl, at: float, why: str, kept: StoredResponse | None = None,
        token: str | None = None, args: Args = None,
    ) -> None:  # fmt: skip
        self.args = args
        self.key = key
        self.directives = directives
        self.at = at
        self.why = why
        self.kept = kept
        self.token = token
        self.other: AwaitedResponse | None = None
        self.validates = False

    def forget_kept(self) -> None:
        """Forget the stored response, which no longer exists, so that the response is made without it."""
        self.kept, self.validates = None, False

    def conditions(self) -> dict[str, str | None] | None:
        """Return the fields that validate the stored response (RFC 9111 §4.3.1), or None if it has no validator.

        They replace the client's conditional fields.
        """
        if self.kept is None:
            return None
        etag, modified = self.kept.field("etag"), self.kept.field("last-modified")
        if etag is None and modified is None:
            return None
        return {**dict.fromkeys(RequestHead.CONDITIONS), "if-none-match": etag, "if-modified-since": modified}


class FillHead(WatchedHead):
    """A watched head whose conditions a cache may replace.

    ``fill`` is set while a response is being made; ``hit`` is set once a stored response has been found after the
    hooks.
    """

    def __init__(self, inner: Head, fill: Fill | None = None) -> None:
        super().__init__(inner)
        self.fill = fill
        self.hit: Response | None = None
        self.replaced: Mapping[str, str | None] = {}

    def plain_target(self) -> tuple[object, ...] | None:
        """Return the target of a plain request, unless anything other than this watch has changed it."""
        inner = self.inner
        is_changed = self.fill is not None or self.method != inner.method or self.path != inner.path
        return None if is_changed else inner.plain_target()

    def ask_by_conditions(self, fill: Fill) -> bool:
        """Replace the client's conditions with those of the cache. Return False if the cache has none."""
        conditions = fill.conditions()
        if conditions is None:
            return False
        self.replaced = conditions
        fill.validates = True
        return True

    def field(self, name: str) -> str | None:
        """Return a header field's combined value, after any replacement by the cache."""
        return self.replaced[name] if name in self.replaced else super().field(name)

    def fields(self) -> list[tuple[str, str]]:
        """Return all header fields, including those that the cache has replaced."""
        fields = super().fields()
        if not self.replaced:
            return fields
        kept = [field for field in fields if field[0] not in self.replaced]
        return kept + [(name, value) for name, value in self.replaced.items() if value is not None]


class RefreshHead(RequestHead):
    """The head of a request that the cache itself makes, without the client's conditions and directives."""

    blocks = False

    @classmethod
    def asking(cls, head: Head) -> Self:
        """Return the head of a request for the response of the client's."""
        left_out = {*cls.CONDITIONS, "cache-control", "pragma"}
        again = cls.of(head, [field for field in head.fields() if field[0] not in left_out])
        again.method = "QUERY" if head.method == "QUERY" else "GET"
        return again


def directives_of(head: Head) -> CacheControl:
    """Return a request's cache directives. If it has none, Pragma is read instead (RFC 9111 §5.4)."""
    said = head.field("cache-control")
    if said is None:
        pragma = head.field("pragma")
        return CacheControl(no_cache=True) if pragma and "no-cache" in pragma.lower() else NO_DIRECTIVES
    return CacheControl.parse(said)
