"""The exchange of messages during one call: what the client is sent before the result, what it is asked, and its end.

| the call | revision 2026-07-28 | revisions with sessions |
|---|---|---|
| reports something | its response becomes a stream of events | the same |
| asks something | it ends, with questions as its result | the stream has the questions; a reply is another POST |
| is cancelled | the client closes the stream | ``notifications/cancelled`` is another POST |
| follows a run and loses its stream | a GET with the id of the last event | the same |

Since 2026-07-28, the replies so far are in a signed state that the client sends again. Before, another process may get
the POST. So a question that waits is an entry in the store, under its own random id and the caller. The first reply is
written over it, and the channel wakes the process that waits. Both expire.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any, NamedTuple, TypeVar

from antiphon import BadSignature, HTTPError, Request, Response, Signer
from antiphon.embedding import GRACE_OVER, FeatureStore, Reads, RequestState, contained, encode_json, parse_or_none
from antiphon.features import Store, StoreUnavailable
from antiphon.features.channels.channel import Channel
from antiphon.features.openapi.code.responses import EVENTS
from antiphon.features.tools.calls import key_of
from antiphon.features.tools.protocol import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    META,
    MISSING_CAPABILITY,
    Message,
    ProtocolError,
    error_message,
    is_able,
    result_message,
    result_response,
)
from antiphon.features.tools.results import broken_off, failure
from antiphon.features.tools.tool_call import LEVELS, NeedsReply, Question
from antiphon.http import BadRequest, Event, parse_structured_dictionary

T = TypeVar("T")
Result = dict[str, Any]

_named = FeatureStore.declare("tools", until="minor", unreadable="absent")
SALT = "confirmation of a tool"
_VALID = 600.0
"""The number of seconds for which a question waits for its reply."""
_MOST_ROUNDS = 20
_LONGEST_STATE = 64 << 10
NOTHING: float = float("-inf")
"""The progress before the first report."""
_RETRY = 1.0
"""The number of seconds after which a client that has lost its stream asks for the rest."""
_MOST_WAITING = 1000
"""The number of reports that wait for a slow client. More replace the oldest."""
_BEFORE_LISTENING = 0.02
"""The number of seconds after which a call listens for its cancellation, so that fast calls need no store."""


# Replies


class Replies(NamedTuple):
    """A call's replies, by question, and its Idempotency-Key, which is that before the first question: whatever the
    replies are, the call is carried out once. ``state`` is the signed state that has brought them.
    """

    given: dict[str, Any]
    key: str
    state: str = ""


def replies_of(request: Request, message: Message, arguments: Mapping[str, Any]) -> Replies:
    """Return the replies that a call has brought. Raises ProtocolError if its state is that of another call."""
    state, given = message.params.get("requestState"), message.params.get("inputResponses")
    if state is None:
        return Replies({}, key_of(request, message))
    try:
        found = request.route.app.signer(SALT).unsign(state if isinstance(state, str) else None, _VALID)
    except BadSignature:
        found = None
    if not isinstance(found, list) or found[:1] != [_fingerprint(request, message, arguments)]:
        raise ProtocolError(INVALID_PARAMS, "params.requestState belongs to another call or is too old: call again")
    _, key, replies, asked = found
    sent = given if isinstance(given, dict) else {}
    replies |= {digest: sent[key] for key, digest in asked.items() if isinstance(sent.get(key), dict)}
    return Replies(replies, key, state if replies else "")


def input_required(
    request: Request, message: Message, arguments: Mapping[str, Any], replies: Replies, error: NeedsReply
) -> Result:
    """Return the result that asks for what is missing, with a state for ten minutes, this caller and this call."""
    signer: Signer = request.route.app.signer(SALT)
    asked = {each.key: digest for digest, each in error.questions.items()}
    state = signer.sign([_fingerprint(request, message, arguments), replies.key, replies.given, asked])
    if len(state) > _LONGEST_STATE:
        return failure("The replies so far are too long to ask for more. Nothing was done.")
    questions = {each.key: each.as_json() for each in error.questions.values()}
    return {"resultType": "input_required", "inputRequests": questions, "requestState": state}


def check_can_ask(message: Message, error: NeedsReply) -> Result | None:
    """Return the result for a client that can't be asked, or None. Raises ProtocolError where there is an error."""
    needed: dict[str, Any] = {}
    for each in error.questions.values():
        [(name, _)] = each.needs.items()
        if not is_able(message.capabilities, name):
            needed |= each.needs
    if not needed:
        return None
    if not message.is_modern:
        return failure(f"This call needs a reply ({', '.join(needed)}) that this client can't give. Nothing was done.")
    data = {"requiredCapabilities": needed}
    raise ProtocolError(MISSING_CAPABILITY, "This call needs a reply that the client can't give", data)


def _fingerprint(request: Request, message: Message, arguments: Mapping[str, Any]) -> str:
    """Return a digest of the caller, the tool and its arguments. Each signature is new, so only its key counts."""
    shown = request.caller.fields({Reads.EVERYTHING}) | {"signature": None}
    signatures = parse_or_none(parse_structured_dictionary, shown.pop("signature-input", None) or "") or {}
    signers = [str(each.parameters.get("keyid")) for each in signatures.values()]
    caller = [*map(str, request.caller.identities), *sorted(shown.items()), *signers]
    named = [message.method, message.params.get("name"), message.params.get("uri")]
    return sha256(encode_json([caller, named, dict(sorted(arguments.items()))])).hexdigest()


# What is sent before the result


class Outbox:
    """Messages to a client during its call, from any thread. A log message is sent only at the client's level, and
    progress only if it is above ``since``, which the client has received before.
    """

    def __init__(self, level: Callable[[], Awaitable[object]], since: float = NOTHING) -> None:
        self._waiting: deque[tuple[dict[str, Any], Event]] = deque(maxlen=_MOST_WAITING)
        self._since = since
        self.stream = ""
        """The text with which the client can resume the stream, if it can."""
        self._is_new = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._level = level
        self._least: int | None = None
        if since != NOTHING:
            self._put({}, Event(comment=""))  # a GET is always responded to with a stream

    def send(self, method: str, params: Mapping[str, Any], ident: str | None = None) -> None:
        """Send a notification, or a request if there is an id."""
        made = {"jsonrpc": "2.0", "method": method, "params": params, **({} if ident is None else {"id": ident})}
        progress = params["progress"] if method == "notifications/progress" else None
        if progress is None or progress > self._since:
            self._put(made, event_of(made, self._place(progress)))

    def begin(self, stream: str, progress: float, *, is_primed: bool) -> None:
        """Let the client resume the stream: events with progress get an id. One without content, if the client's
        revision has it, has the first one.
        """
        self.stream = stream
        if is_primed:
            place = self._place(max(progress, self._since))
            self._put({}, Event("", event="message", id=place, retry=_RETRY))

    def _place(self, progress: float | None) -> str | None:
        return f"{self.stream}~{progress}" if self.stream and progress is not None else None

    def _put(self, made: dict[str, Any], event: Event) -> None:
        self._waiting.append((made, event))
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            self._loop.call_soon_threadsafe(self._is_new.set)

    def wake(self, _: object = None) -> None:
        """Let ``next`` return None if there are no messages, because the call has ended."""
        self._is_new.set()

    async def next(self, task: "asyncio.Task[Result]") -> Event | None:
        """Return the event of the next message, or None when there are no more and the task has ended."""
        while True:
            while self._waiting:
                made, event = self._waiting.popleft()
                is_log = made.get("method") == "notifications/message"
                if not is_log or await self._is_wanted(made["params"]["level"]):
                    return event
            if task.done():
                return None
            self._is_new.clear()
            if not self._waiting and not task.done():
                await self._is_new.wait()

    async def _is_wanted(self, level: str) -> bool:
        if self._least is None:
            found = await self._level()
            self._least = LEVELS.index(found) if found in LEVELS else len(LEVELS)
        return LEVELS.index(level) >= self._least


Handle = Callable[[Replies], Awaitable[Result]]
"""A function that handles a call with the replies so far. It raises NeedsReply if it needs more."""


class Exchange:
    """One call of a client."""

    def __init__(
        self, request: Request, message: Message, sessions: "Sessions", *, may_cancel: bool, may_repeat: bool,
        since: float,
    ) -> None:  # fmt: skip
        self._request = request
        self._message = message
        self._sessions = sessions
        self._may_cancel = may_cancel
        self._may_repeat = may_repeat
        self._whose = whose_is(request, message)
        self._is_asking = False
        self.streams = request.accept.quality(EVENTS) > 0
        """True if the client accepts a stream of events."""
        self.outbox = Outbox(partial(sessions.level, message, self._whose), since)  # a method of its own is a cycle

    async def respond(self, handle: Handle, arguments: Mapping[str, Any]) -> Response:
        """Return the response: the result, or a stream of what comes before it and of the result."""
        task = asyncio.ensure_future(contained(self._run(handle, arguments)))
        task.add_done_callback(self.outbox.wake)
        ear = asyncio.ensure_future(self._cancel_when_told(task)) if self._message.session else None
        task.add_done_callback(lambda _: ear is not None and ear.cancel())
        first = None
        try:
            if self.streams:
                first = await self.outbox.next(task)
            else:
                await _ended(task)
        finally:
            if first is None:
                await _ended(task, cancel=True)
        if first is not None:
            return Response.events(self._events(first, task), on_drain="finish")
        if task.cancelled():
            return Response("", 202)
        try:
            return result_response(self._message, self._result(task))
        finally:
            del task  # its error refers to this frame

    async def _events(self, first: Event, task: "asyncio.Task[Result]") -> AsyncIterator[Event]:
        event: Event | None = first
        try:
            while event is not None:
                yield event
                event = await self.outbox.next(task)
            if not task.cancelled():
                yield event_of(self._last(task))
        except asyncio.CancelledError:
            if not GRACE_OVER.is_given:
                raise
            if not self.outbox.stream:  # else the run may go on, and the client finds it
                yield event_of(result_message(self._message, broken_off(self._request)))
        finally:
            is_over = self._may_cancel or self._is_asking or bool(self.outbox.stream) or GRACE_OVER.is_given
            await _ended(task, cancel=is_over)

    def _last(self, task: "asyncio.Task[Result]") -> dict[str, Any]:
        try:
            return result_message(self._message, self._result(task))
        except ProtocolError as error:
            return error_message(error, self._message)
        except HTTPError as error:  # a login that has ended since
            return error_message(ProtocolError(INTERNAL_ERROR, str(error)), self._message)

    def _result(self, task: "asyncio.Task[Result]") -> Result:
        """Return a call's result, which reports other failures, even one that would have ended the loop."""
        try:
            return task.result()
        except (ProtocolError, HTTPError):
            raise
        except Exception as error:
            RequestState(self._request).log_failure(error)
            return broken_off(self._request)
        finally:
            del task  # its error refers to this frame

    async def _run(self, handle: Handle, arguments: Mapping[str, Any]) -> Result:
        message = self._message
        replies = replies_of(self._request, message, arguments)
        if replies.state and not self._may_repeat and not await self._sessions.spend(replies.state):
            raise ProtocolError(INVALID_PARAMS, "params.requestState was used before: call again")
        for _ in range(_MOST_ROUNDS):
            try:
                return await handle(replies)
            except NeedsReply as error:
                if (unable := check_can_ask(message, error)) is not None:
                    return unable
                if message.is_modern:
                    return input_required(self._request, message, arguments, replies, error)
                if not self.streams:
                    return failure("This call has a question, and the client accepts no stream. Nothing was done.")
                self._is_asking = True
                try:
                    given = await self._ask(error.questions)
                except TimeoutError:
                    return failure("Nobody replied in time. Nothing was done.")
                finally:
                    self._is_asking = False
                replies = Replies({**replies.given, **given}, replies.key)
        return failure(f"This call has asked {_MOST_ROUNDS} times. Nothing was done.")

    async def _ask(self, questions: Mapping[str, Question]) -> dict[str, Any]:
        sessions, whose = self._sessions, self._whose
        idents = {digest: token_urlsafe(16) for digest in questions}
        given: dict[str, Any] = {}
        async with asyncio.timeout(_VALID), sessions.channel.listen() as told:
            for digest, ident in idents.items():
                await sessions.write(f"question {ident}", whose, {"reply": None}, ttl=_VALID)
                self.outbox.send(**questions[digest].as_json(is_modern=False), ident=ident)
            while len(given) < len(questions):
                await anext(told)
                for digest, ident in idents.items():
                    found = None if digest in given else await sessions.read(f"question {ident}", whose)
                    if found is not None and (reply := found.get("reply")) is not None:
                        given[digest] = reply
        return given

    async def _cancel_when_told(self, task: "asyncio.Task[Result]") -> None:
        sessions, name = self._sessions, _cancelled(self._message.id)
        await asyncio.sleep(_BEFORE_LISTENING)
        with suppress(StoreUnavailable):  # which is already logged
            async with sessions.channel.listen() as told:
                while await sessions.read(name, self._whose) is None:
                    await anext(told)
            task.cancel()


async def _ended(task: "asyncio.Task[Result]", *, cancel: bool = False) -> None:
    """Wait for a task; cancel it if this task is cancelled, or with ``cancel``."""
    if cancel:
        task.cancel()
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task])
        raise
    if not task.cancelled():
        task.exception()  # read, so that none is logged as forgotten


def event_of(message: Mapping[str, Any], ident: str | None = None) -> Event:
    """Return the event that sends a message."""
    return Event(encode_json(message).decode(), event="message", id=ident)


# Sessions


def whose_is(request: Request, message: Message) -> str:
    """Return the owner of what a session keeps: its id and its user, who must have been read."""
    return sha256(encode_json([message.session, *map(str, request.caller.identities)])).hexdigest()


def _cancelled(ident: object) -> str:
    return f"cancelled {type(ident).__name__} {ident}"


class Sessions:
    """What clients of revisions with sessions have asked for, for all processes that use the store."""

    def __init__(self, store: Store, path: str) -> None:
        self._store = store
        self._path = path
        self.channel = Channel(_named(path, "woken"), store, max_message_size=100)
        """It tells all processes that something has been written."""

    async def read(self, kind: str, whose: str) -> dict[str, Any] | None:
        """Return what is kept under a name."""
        found = await self._call(partial(self._store.load, self._key(kind, whose)))
        return None if found is None else found.data

    async def write(self, kind: str, whose: str, data: Mapping[str, Any], *, ttl: float) -> None:
        """Keep data under a name, for ``ttl`` seconds."""
        await self._call(partial(self._store.change, self._key(kind, whose), data, ttl=ttl))

    async def level(self, message: Message, whose: str) -> object:
        """Return the lowest level of the log messages that the client wants, or None if it wants none."""
        if message.is_modern:
            return message.meta.get(f"{META}logLevel")
        return (await self.read("session", whose) or {}).get("level")

    async def spend(self, state: str) -> bool:
        """Return True for the first use of a state with a person's replies, in all processes that use the store."""
        now, name = self._store.clock(), sha256(state.encode()).hexdigest()
        spend = partial(FeatureStore.spend, self._store, "tools", name, now=now, until=now + _VALID, longest=_VALID)
        return await self._call(spend)

    async def take_reply(self, request: Request, message: Message) -> Response:
        """Take a client's reply. Raises BadRequest (400) if nothing was asked, or for a second reply."""
        whose, reply = whose_is(request, message), message.reply or {}
        key = self._key(f"question {reply.get('id')}", whose)
        entry = await self._call(partial(self._store.load, key)) if message.session else None
        if entry is None or entry.data.get("reply") is not None:
            raise BadRequest("This session has no such question.")
        result = reply.get("result")
        data = {**entry.data, "reply": result if isinstance(result, dict) else {"action": "cancel"}}
        if await self._call(partial(self._store.replace, key, data, version=entry.version, ttl=_VALID)) is not None:
            await self.channel.asend("replied")
        return Response("", 202)

    async def cancel(self, request: Request, message: Message) -> None:
        """Cancel a call of the same session and caller, in whichever process it is."""
        ident = message.params.get("requestId")
        if message.session and isinstance(ident, str | int):
            await self.write(_cancelled(ident), whose_is(request, message), {"is": True}, ttl=60.0)
            await self.channel.asend("cancelled")

    def _key(self, kind: str, whose: str) -> str:
        return _named(self._path, whose, kind)

    async def _call(self, function: Callable[[], T]) -> T:
        return await asyncio.to_thread(function) if self._store.blocks else function()
