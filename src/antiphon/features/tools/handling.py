"""The handling of calls and of other messages that may report something, ask, or be cancelled."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from inspect import isawaitable
from typing import Any, Literal, assert_never

from antiphon import App, Request, Response, explained
from antiphon.embedding import GRACE_OVER, Crossing, RequestState, describe, is_async, is_on_loop, run_on, serving_loop
from antiphon.features.openapi.code.findings import Read
from antiphon.features.tools.calls import BadArguments, make_call, text_of
from antiphon.features.tools.definitions import PLACEHOLDER, Definition
from antiphon.features.tools.exchange import NOTHING, Exchange, Replies, Result, Sessions
from antiphon.features.tools.protocol import Message
from antiphon.features.tools.results import (
    TooLarge,
    body_of,
    broken_off,
    failure,
    is_for_the_client,
    login_error,
    result_of,
    too_large,
)
from antiphon.features.tools.tasks import Tasks, knows_tasks, result_of_run
from antiphon.features.tools.tool_call import HandledCall, NeedsReply, NotConfirmed, Question
from antiphon.http import NotFound, UnprocessableContent

_NOTHING: Mapping[str, Any] = {}
_LONGEST_WAIT = 10.0
"""The number of seconds that a function may take to write a question."""
DISAGREED = "The person did not agree. Nothing was done."


class Handling:
    """The handling of one feature's messages. Results of tools have at most ``largest`` bytes."""

    def __init__(self, sessions: Sessions, tasks: Tasks | None, largest: int) -> None:
        self._sessions = sessions
        self._tasks = tasks
        self._largest = largest

    async def call(
        self, request: Request, message: Message, definition: Definition, arguments: Mapping[str, Any]
    ) -> Response:
        """Handle a tool's call. Raises Unauthorized or Forbidden if the application has responded with one of them."""
        handle = partial(self._handle, request, message, definition, arguments)
        # In the newest revision, to close the stream is to cancel; elsewhere, it is only to leave.
        is_cancelled = message.is_modern and definition.route.cancel_on_disconnect is not False
        may_cancel = definition.streams or definition.is_read_only or is_cancelled
        may_repeat = definition.takes_key or definition.is_read_only
        return await self.exchange(request, message, handle, arguments, may_cancel=may_cancel, may_repeat=may_repeat)

    async def exchange(
        self, request: Request, message: Message, handle: Callable[[HandledCall, Replies], Awaitable[Result | None]],
        arguments: Mapping[str, Any] = _NOTHING, *, may_cancel: bool = True, may_repeat: bool = True,
        reported: float = NOTHING, since: float = NOTHING,
    ) -> Response:  # fmt: skip
        """Return the response to a message whose handling may report something, ask, or return None to follow a run.

        The call has ``reported`` some progress before, and the client has received all up to ``since``.
        """
        exchange = Exchange(request, message, self._sessions, may_cancel=may_cancel, may_repeat=may_repeat, since=since)
        token = message.progress_token if exchange.streams else None

        async def handled(replies: Replies) -> Result:
            nonlocal reported
            call = HandledCall(message.capabilities, replies.given, exchange.outbox.send, token, reported)
            try:
                made = await handle(call, replies)
            finally:
                reported = call.reported
            if made is None and (run := call.run) is not None:
                if self._tasks is not None:
                    self._tasks.let_resume(request, message, call, run, exchange.outbox)
                made = await result_of_run(run, call, self._largest)
            return {**(made or {}), **({"_meta": call.meta} if call.meta else {})}

        return await exchange.respond(handled, arguments)

    async def resume(self, request: Request, message: Message, tasks: Tasks, ident: str) -> Response:
        """Return the rest of a call's stream after an event. Raises BadRequest (400) for an id of no such event."""
        call, begun, since, (run, owner) = tasks.resumed(request, message, ident)

        async def find(call: HandledCall, _: Replies) -> Result | None:
            try:
                call.follow(await tasks.runs.afind(run, owner=owner))
            except NotFound:
                return failure("The run of this call is no longer kept, and its result is lost.")
            return None

        return await self.exchange(request, call, find, reported=begun, since=since)

    async def _handle(
        self, request: Request, message: Message, definition: Definition, arguments: Mapping[str, Any],
        call: HandledCall, replies: Replies,
    ) -> Result | None:  # fmt: skip
        """Handle a call with the replies so far. Return None if it follows a run. Raise NeedsReply if it needs more."""
        key = replies.key if definition.takes_key else None
        try:
            made, response = await _respond(request, definition, arguments, key, call)
        except (BadArguments, NotAgreed) as error:
            return failure(str(error))
        if is_for_the_client(response):
            raise login_error(response)
        if response.status == NotConfirmed.status:
            call.check()
        if call.run is not None and response.status < 400:
            if message.is_modern and self._tasks is not None and knows_tasks(message):
                return self._tasks.created(request, call.run)
            return None
        given = request, definition, arguments, call, made, response
        return await _result(*given, self._largest, is_modern=message.is_modern)


async def _result(
    request: Request, definition: Definition, arguments: Mapping[str, Any], call: HandledCall, made: Request,
    response: Response, largest: int, *, is_modern: bool,
) -> Result:  # fmt: skip
    tell = call.tell if definition.streams and response.status < 400 else None
    try:
        body = await body_of(request, response, largest, tell)
    except TooLarge:
        return too_large(largest)
    except Exception as error:
        if not GRACE_OVER.is_given:
            RequestState(request).log_failure(error)
        return broken_off(request)
    return result_of(definition, made, arguments, response, body, is_modern=is_modern)


class NotAgreed(Exception):
    """The error for a call to which a person has not agreed."""


class Confirmation:
    """The question to a person before a tool's call, asked when all checks before the handler have passed: its hooks
    and guards, and the types that it always reads.
    """

    def __init__(self, definition: Definition, arguments: Mapping[str, Any], call: HandledCall) -> None:
        self._definition = definition
        self._arguments = arguments
        self._call = call
        self._lacks: list[Question] = []
        self._is_declined = False

    def confirm(self, request: Request) -> Awaitable[None] | None:
        """Raise NotConfirmed (428) until a person has agreed, and the errors of reading the request. On an event loop,
        return what does this if a function writes the question.
        """
        for each in self._definition.reads:
            _read(request, each)
        asks = self._definition.options.confirm
        if callable(asks):
            steps = self._ask_later(request, asks)
            return steps if is_on_loop() else run_on(serving_loop(), steps, copy_context())
        self._ask(request, self._filled(asks or ""))
        return None

    def _filled(self, question: str) -> str:
        # A default is not shown for an argument that the call leaves out: which one the handler uses is a guess.
        if missing := [name for name in PLACEHOLDER.findall(question) if name not in self._arguments]:
            raise UnprocessableContent(f"/{missing[0]}: missing, though a person has to agree to it")
        return PLACEHOLDER.sub(lambda found: text_of(self._arguments[found[1]]), question)

    async def _ask_later(self, request: Request, asks: Callable[[Request], str | Awaitable[str]]) -> None:
        name = f"{describe(asks)}, the function of Tool(confirm=...),"
        limit = asyncio.timeout(_LONGEST_WAIT)
        try:
            async with limit:
                with RequestState(request).refusing_effects(partial(_refused, name)):  # it is asked twice for a call
                    made = asks(request) if is_async(asks) else await Crossing().run(asks, request)
                    text = made if isinstance(made, str) else await made if isawaitable(made) else made
        except TimeoutError as error:
            if not limit.expired():
                raise
            message = f"{name} took longer than {_LONGEST_WAIT} seconds"
            raise explained("bad-tool", message, RuntimeError) from error
        if not isinstance(text, str) or not text.strip():
            raise explained("bad-tool", f"{name} must return text, not {text!r:.80}", TypeError)
        self._ask(request, text)

    def _ask(self, request: Request, text: str) -> None:
        try:
            self._is_declined = not self._call.confirm(text)
        except NeedsReply as error:
            self._lacks = [*error.questions.values()]
            RequestState(request).uncount()  # the call comes again
            raise
        if self._is_declined:
            RequestState(request).uncount()
            raise NotConfirmed(DISAGREED)

    def check(self) -> None:
        """Raise NeedsReply or NotAgreed unless a person has agreed, whatever an error handler has made of the error."""
        if self._lacks:
            raise NeedsReply(self._lacks)
        if self._is_declined:
            raise NotAgreed(DISAGREED)


def _refused(name: str, effect: str) -> Exception:
    message = f"{name} is called before a person has agreed, so it may have no effects: {effect}"
    return explained("bad-tool", message, RuntimeError)


def _read(request: Request, read: Read) -> object:
    """Read a part of a request as the type that the handler reads. Raises the errors that the handler gets."""
    unknown: Literal["refuse", "ignore"] = "refuse" if read.is_strict else "ignore"
    match read.part:
        case "json":
            return request.json_as(read.wanted, unknown=unknown)
        case "form":
            return request.form_as(read.wanted, unknown=unknown)
        case "query":
            return request.args_as(read.wanted, unknown=unknown)
        case "headers" | "raw" | "rows" | "patch":  # no arguments, or their types depend on the current value
            return None
        case part:
            assert_never(part)


async def _respond(
    request: Request, definition: Definition, arguments: Mapping[str, Any], key: str | None, call: HandledCall,
    app: App | None = None,
) -> tuple[Request, Response]:  # fmt: skip
    """Return the request that a call becomes, and the application's response. Raises BadArguments, NotAgreed, and
    NeedsReply for the question to a person.
    """
    made = make_call(request, definition, arguments, key, call, app)
    if definition.options.confirm is None:
        return made.request, await made.respond()
    confirmation = Confirmation(definition, arguments, call)
    if definition.dialect is None:
        made.confirm_by(confirmation.confirm)
    else:  # its application calls the view
        with suppress(NotConfirmed):
            if (steps := confirmation.confirm(made.request)) is not None:
                await steps
        confirmation.check()
    response = await made.respond()
    confirmation.check()
    return made.request, response


async def call_in_process(
    request: Request, definition: Definition, arguments: Mapping[str, Any], key: str | None, app: App | None,
    confirm: Callable[[str], Awaitable[object]] | None, largest: int,
) -> Result:  # fmt: skip
    """Handle a call by the application's own code. ``app`` gets the user of a request that no client has sent."""
    replies = dict[str, Any]()
    while True:
        call = HandledCall({}, replies, lambda method, params: None, None)  # noqa: ARG005 - nobody is told
        try:
            made, response = await _respond(request, definition, arguments, key, call, app)
            break
        except (BadArguments, NotAgreed) as error:
            return failure(str(error))
        except NeedsReply as error:
            if confirm is None:
                return failure("A person has to agree to this call, but nobody can be asked. Nothing was done.")
            [(digest, asked)] = error.questions.items()
            replies[digest] = {"action": "accept" if await confirm(asked.params["message"]) else "decline"}
    if call.run is not None and response.status < 400:
        return await result_of_run(call.run, call, largest)
    return await _result(made, definition, arguments, call, made, response, largest, is_modern=True)
