"""The handling of calls and of other messages that may report something, ask, or be cancelled."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from antiphon.concurrency.process import GRACE_OVER
from antiphon.features.html import visible
from antiphon.features.tools.calls import BadArguments, make_call, text_of
from antiphon.features.tools.definitions import Definition
from antiphon.features.tools.exchange import Exchange, Replies, Result, Sessions
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
from antiphon.features.tools.tool_call import HandledCall, filled
from antiphon.handler.failures import log_failure
from antiphon.http.errors import PreconditionRequired, UnprocessableContent
from antiphon.request.request import Request
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.app.application import App
    from antiphon.features.tools.tasks import Tasks

_NOTHING: Mapping[str, Any] = {}
DISAGREED = "The person did not agree. Nothing was done."


class Handling:
    """The handling of one feature's messages. Results of tools have at most ``largest`` bytes."""

    def __init__(self, sessions: Sessions, tasks: "Tasks | None", largest: int) -> None:
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
        return await self.exchange(request, message, handle, arguments, may_cancel=may_cancel)

    async def exchange(
        self, request: Request, message: Message, handle: Callable[[HandledCall, Replies], Awaitable[Result]],
        arguments: Mapping[str, Any] = _NOTHING, *, may_cancel: bool = True,
    ) -> Response:  # fmt: skip
        """Return the response to a message whose handling may report something, or ask."""
        exchange = Exchange(request, message, self._sessions, may_cancel=may_cancel)
        token = message.meta.get("progressToken")
        token = token if isinstance(token, str | int) and exchange.streams else None

        reported = float("-inf")

        async def handled(replies: Replies) -> Result:
            nonlocal reported
            call = HandledCall(message.capabilities, replies.given, exchange.outbox.send, token, reported)
            try:
                made = await handle(call, replies)
            finally:
                reported = call.reported
            return {**made, "_meta": call.meta} if call.meta else made

        return await exchange.respond(handled, arguments)

    async def _handle(
        self, request: Request, message: Message, definition: Definition, arguments: Mapping[str, Any],
        call: HandledCall, replies: Replies,
    ) -> Result:  # fmt: skip
        """Handle a call with the replies so far. Raises NeedsReply if it needs more."""
        if definition.options.confirm is not None:
            try:
                if not call.confirm(filled(definition.options.confirm, arguments, text_of)):
                    return failure(DISAGREED)
            except UnprocessableContent as error:
                return failure(str(error.detail))
        key = replies.key if definition.route.idempotent else None
        try:
            made = make_call(request, definition, arguments, key, call)
        except BadArguments as error:
            return failure(str(error))
        response = await made.respond()
        if is_for_the_client(response):
            raise login_error(response)
        if response.status == PreconditionRequired.status:
            call.check()
        if call.run is not None and response.status < 400:
            from antiphon.features.tools.tasks import knows_tasks, result_of_run

            if message.is_modern and self._tasks is not None and knows_tasks(message):
                return self._tasks.created(request, call.run)
            return await result_of_run(call.run, call, self._largest)
        return await _result(request, definition, call, response, self._largest, is_modern=message.is_modern)


async def _result(
    request: Request, definition: Definition, call: HandledCall, response: Response, largest: int, *, is_modern: bool
) -> Result:
    tell = call.tell if definition.streams and response.status < 400 else None
    try:
        body = await body_of(request, response, largest, tell)
    except TooLarge:
        return too_large(largest)
    except Exception as error:
        if not GRACE_OVER.is_given:
            log_failure(request, error)
        return broken_off(request)
    return result_of(definition, request, response, body, is_modern=is_modern)


async def call_in_process(
    request: Request, definition: Definition, arguments: Mapping[str, Any], key: str | None, app: "App | None",
    confirm: Callable[[str], Awaitable[object]] | None, largest: int,
) -> Result:  # fmt: skip
    """Handle a call by the application's own code. ``app`` gets the user of a request that no client has sent."""
    call = HandledCall({}, {}, lambda method, params: None, None)  # noqa: ARG005 - nobody is told
    try:
        made = make_call(request, definition, arguments, key, call, app)
    except BadArguments as error:
        return failure(str(error))
    if (question := definition.options.confirm) is not None:
        if confirm is None:
            return failure("A person has to agree to this call, but nobody can be asked. Nothing was done.")
        if not await confirm(visible(filled(question, arguments, text_of))):
            return failure(DISAGREED)
    response = await made.respond()
    if call.run is not None and response.status < 400:
        from antiphon.features.tools.tasks import result_of_run

        return await result_of_run(call.run, call, largest)
    return await _result(made.request, definition, call, response, largest, is_modern=True)
