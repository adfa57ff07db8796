"""Subscriptions: streams on which clients are told that a list or a resource has changed, by a channel's messages.

A message is "tools", "prompts" or "resources" for a list, or a resource's URI or path. Since 2026-07-28, a stream names
what it wants; before, a session subscribes to resources one by one, and its stream is the response to a GET.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from typing import Any, TypeAlias

from antiphon import Request, Response
from antiphon.features import MissedMessages
from antiphon.features.channels.channel import Channel
from antiphon.features.tools.exchange import Sessions, event_of, whose_is
from antiphon.features.tools.protocol import INVALID_PARAMS, META, Message, ProtocolError
from antiphon.features.tools.resources import base_of
from antiphon.http import Event, ServiceUnavailable

_LISTS = ("tools", "prompts", "resources")
_MOST_URIS, _LONGEST_URI = 100, 2000
_MOST_STREAMS = 1000
"""The number of streams in one process; a client gets a 503 for one more."""
_DAY = 24 * 3600.0
_Known: TypeAlias = Callable[[], Awaitable[Collection[str]]]
"""A function that returns the URIs of a subscription."""


class Subscriptions:
    """The streams of one feature in this process."""

    def __init__(self, channel: Channel, sessions: Sessions) -> None:
        self._channel = channel
        self._sessions = sessions
        self._count = 0

    def listen(self, request: Request, message: Message) -> Response:
        """Return the stream that a client of the newest revision has asked for. Raises ProtocolError."""
        wanted = message.params.get("notifications")
        wanted = wanted if isinstance(wanted, dict) else {}
        lists = {each for each in _LISTS if wanted.get(f"{each}ListChanged") is True}
        uris = wanted.get("resourceSubscriptions") or []
        if not isinstance(uris, list) or len(uris) > _MOST_URIS or not all(map(_is_uri, uris)):
            raise ProtocolError(INVALID_PARAMS, f"resourceSubscriptions must be up to {_MOST_URIS} URIs")
        agreed = {**{f"{each}ListChanged": True for each in sorted(lists)}, "resourceSubscriptions": uris}
        meta = {"_meta": {f"{META}subscriptionId": message.id}}
        begin = _notification("subscriptions/acknowledged", {"notifications": agreed, **meta})

        async def known() -> Collection[str]:
            return uris

        return self._stream(request, begin, lists, known, meta)

    def stream(self, request: Request, message: Message) -> Response:
        """Return the stream of a session."""

        async def known() -> Collection[str]:
            return await self._uris(request, message)

        return self._stream(request, Event(comment=""), {*_LISTS}, known, {})

    async def subscribe(self, request: Request, message: Message, *, ends: bool) -> None:
        """Subscribe a session to a resource, or end this. Raises ProtocolError."""
        uri, known = message.text("uri"), await self._uris(request, message)
        if not message.session or not _is_uri(uri) or (len(known) >= _MOST_URIS and not ends):
            raise ProtocolError(INVALID_PARAMS, f"A session can subscribe to up to {_MOST_URIS} URIs")
        left = [each for each in known if each != uri]
        uris = left if ends else [*left, uri]
        await self._sessions.write("session", whose_is(request, message), {"uris": uris}, ttl=_DAY)

    async def _uris(self, request: Request, message: Message) -> list[str]:
        found = await self._sessions.read("session", whose_is(request, message))
        return [] if found is None else found.get("uris", [])

    def _stream(
        self, request: Request, begin: Event, lists: Collection[str], known: _Known, meta: Mapping[str, Any]
    ) -> Response:
        if self._count >= _MOST_STREAMS:
            raise ServiceUnavailable("Too many clients are listening. Try again soon.", retry_after=5)
        base = base_of(request)

        async def told() -> AsyncIterator[Event]:
            self._count += 1
            try:
                async with self._channel.listen() as messages:
                    yield begin
                    async for each in messages:
                        value = None if isinstance(each, MissedMessages) else each.value
                        for method, params in _changes(value, lists, await known(), base):
                            yield _notification(method, {**params, **meta})
            finally:
                self._count -= 1

        return Response.events(told())


def _changes(
    value: object, lists: Collection[str], uris: Collection[str], base: str
) -> list[tuple[str, dict[str, Any]]]:
    """Return the notifications for a message; all of them if messages were missed, so the value is None."""
    changed = [each for each in _LISTS if each in lists and value in (each, None)]
    uri = f"{base}{value}" if isinstance(value, str) and value.startswith("/") else value
    updated = [each for each in uris if uri in (each, None)]
    return [
        *((f"{each}/list_changed", dict[str, Any]()) for each in changed),
        *(("resources/updated", {"uri": each}) for each in updated),
    ]


def _notification(method: str, params: Mapping[str, Any]) -> Event:
    return event_of({"jsonrpc": "2.0", "method": f"notifications/{method}", "params": params})


def _is_uri(given: object) -> bool:
    return isinstance(given, str) and len(given) <= _LONGEST_URI
