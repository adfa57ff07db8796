"""The making of one response that a cache may store: what is known of it before, and what the handler is asked."""

from collections.abc import Mapping

from antiphon.features.cache.entry import StoredResponse
from antiphon.http.cache_control import CacheControl
from antiphon.http.head import CONDITIONS, Head, PlainHead
from antiphon.request.watching import WatchedHead

NO_DIRECTIVES = CacheControl()
"""What most requests say to caches."""


class Fill:
    """A response that is being made: for which key, by whose claim, and in place of which stored response.

    ``why`` says why the request went on to the handler, as Cache-Status has it (RFC 9211 §2.2). ``validates`` is true
    if the handler is asked by conditions of the cache's own.
    """

    __slots__ = ("asked", "at", "collapsed", "directives", "kept", "key", "token", "validates", "why")

    def __init__(
        self,
        key: str,
        directives: CacheControl,
        at: float,
        why: str,
        kept: StoredResponse | None = None,
        token: str | None = None,
    ) -> None:
        self.key = key
        self.directives = directives
        self.at = at
        self.why = why
        self.kept = kept
        self.token = token
        self.collapsed: bool | None = None
        self.validates = False

    def forget_kept(self) -> None:
        """Make the response without the stored one, which has gone."""
        self.kept, self.validates = None, False

    def conditions(self) -> dict[str, str | None] | None:
        """Return the fields by which the stored response is validated (RFC 9111 §4.3.1); None without a validator.

        They stand in place of those of the client.
        """
        if self.kept is None:
            return None
        etag, modified = self.kept.field("etag"), self.kept.field("last-modified")
        if etag is None and modified is None:
            return None
        return {**dict.fromkeys(CONDITIONS), "if-none-match": etag, "if-modified-since": modified}


class FillHead(WatchedHead):
    """A watched head whose conditions a cache may have replaced by its own. ``fill`` is set where one is being made."""

    def __init__(self, inner: Head, fill: Fill | None = None) -> None:
        super().__init__(inner)
        self.fill = fill
        self.replaced: Mapping[str, str | None] = {}

    def plain_target(self) -> tuple[object, ...] | None:
        """Return what names the URL of a plain request, if nothing has changed it but this watch."""
        inner = self.inner
        is_changed = self.fill is not None or self.method != inner.method or self.path != inner.path
        return None if is_changed else inner.plain_target()

    def ask_by_conditions(self, fill: Fill) -> bool:
        """Replace the conditions by those of the cache; False where it has none."""
        conditions = fill.conditions()
        if conditions is None:
            return False
        self.replaced = conditions
        fill.validates = True
        return True

    def _watched_field(self, name: str) -> str | None:
        return self.replaced[name] if name in self.replaced else super()._watched_field(name)

    def _watched_fields(self) -> list[tuple[str, str]]:
        fields = super()._watched_fields()
        if not self.replaced:
            return fields
        kept = [field for field in fields if field[0] not in self.replaced]
        return kept + [(name, value) for name, value in self.replaced.items() if value is not None]


class RefreshHead(PlainHead):
    """The head of a request that a cache makes by itself, without conditions and directives of the client."""

    def __init__(self, head: Head, blocks: bool) -> None:
        super().__init__(head)
        left_out = {*CONDITIONS, "cache-control", "pragma"}
        self._fields = [field for field in self._fields if field[0] not in left_out]
        self.method = "GET"
        self.blocks = blocks


def directives_of(head: Head) -> CacheControl:
    """Return the directives of a request; Pragma counts without any (RFC 9111 §5.4)."""
    said = head.field("cache-control")
    if said is None:
        pragma = head.field("pragma")
        return CacheControl(no_cache=True) if pragma and "no-cache" in pragma.lower() else NO_DIRECTIVES
    return CacheControl.parse(said)
