"""Runs as streams in the format that chat components read: AI SDK UI messages.

Text is part of the model's answer. Other values are passed on unchanged, as objects that the component recognizes by
their ``type``.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any, assert_never

from antiphon import Response
from antiphon.embedding import GRACE_OVER
from antiphon.features.runs.questions import asks_approval
from antiphon.features.runs.record import Kind, Line
from antiphon.features.runs.run import Run, RunEnded, ValuesMissed
from antiphon.http import Event

INTERRUPTED = "The answer was interrupted."
MISSED = "A part of the answer is no longer kept."
FAILED = "Something went wrong."
_UI_FIELDS = {"x-vercel-ai-ui-message-stream": "v1"}


def ui_message_stream(run: Run[Any], *, since: str | None = None) -> Response:
    """Return a run as the stream that ``useChat`` of the AI SDK 5 to 7 reads, from the start of the run. Provisional.

    A text value is part of the message's text; any other value is a separate part of the message, such as ``{"type":
    "reasoning-delta", "id": "1", "delta": "..."}``. A stopped run ends with "abort"; a run that failed or was
    interrupted ends with "error", as does a stream that is open when its process ends, or in which values are missing.
    The same stream is the response when ``useChat`` resumes.

    A question is a call of a tool with the name of the reply's type. It needs an approval if that has a field
    ``approved``; for another type, the client gives the tool's output. While it waits, the stream is finished; after
    ``areply``, return the rest of the message: the stream ``since`` the question's id.
    """
    return Response.events(_ui_parts(run, since), headers=_UI_FIELDS, on_drain="finish")


async def _ui_parts(run: Run[Any], since: str | None) -> AsyncGenerator[Event | dict[str, Any] | str, None]:
    yield Event(comment="")
    yield {"type": "start", "messageId": run.id}
    message, last = _Message(since), {"type": "finish"}
    try:
        async with aclosing(message.parts(run)) as parts:
            async for part in parts:
                yield part
    except (RunEnded, ValuesMissed) as ended:
        last = {"type": "abort"} if _was_stopped(ended) else {"type": "error", "errorText": _told(ended)}
    except asyncio.CancelledError:
        if not GRACE_OVER.is_given:
            raise
        last = {"type": "error", "errorText": INTERRUPTED}  # for this client: the run may go on in another process
    for part in message.end_of_text():
        yield part
    yield last
    yield "[DONE]"


class _Message:
    """The message that a run's values become, up to the first question that waits for a reply.

    Each sequence of text values is between the start and the end of a numbered text. ``since`` is the question after
    whose reply the message is shown.
    """

    def __init__(self, since: str | None) -> None:
        self._since = since
        self._is_shown = since is None
        self._texts = 0
        self._is_in_text = False

    async def parts(self, run: Run[Any]) -> AsyncGenerator[Any, None]:
        """Yield the parts that are shown. Raises the errors of ``Run.values``."""
        async with aclosing(run._items()) as items:
            async for value in items:
                for part in self._parts_of(value):
                    yield part
                if not isinstance(value, Line):
                    continue
                data = value.value()
                is_open = value.kind == Kind.QUESTION and await run._is_open(data["id"])
                self._is_shown |= value.kind == Kind.REPLY and data["id"] == self._since
                for part in _about_person(value.kind, data, is_open) if self._is_shown else ():
                    yield part
                if is_open:
                    return

    def _parts_of(self, value: Any) -> Iterator[Any]:
        """Yield the parts for a value. A question or a reply only ends a text."""
        if not isinstance(value, str):
            yield from self.end_of_text()
            parts = [] if isinstance(value, Line) else [value]
        else:
            begins, self._is_in_text = not self._is_in_text, True
            self._texts += begins
            parts = [{"type": "text-start", "id": str(self._texts)}] if begins else []
            parts.append({"type": "text-delta", "id": str(self._texts), "delta": value})
        yield from parts if self._is_shown else ()

    def end_of_text(self) -> Iterator[dict[str, str]]:
        """Yield the end of the text, if there is one and it is shown."""
        if self._is_in_text and self._is_shown:
            yield {"type": "text-end", "id": str(self._texts)}
        self._is_in_text = False


def _about_person(kind: str, data: dict[str, Any], is_open: bool) -> Iterator[dict[str, Any]]:
    """Yield the parts for a question or for its reply."""
    of = {"toolCallId": data["id"]}
    if kind == Kind.QUESTION:
        name = data["schema"].get("title", "ask")
        yield {"type": "tool-input-available", **of, "toolName": name, "input": data}
        if is_open and asks_approval(data):
            yield {"type": "tool-approval-request", "approvalId": data["id"], **of}
        return
    if data.get("expired", False):
        yield {"type": "tool-output-error", **of, "errorText": "Nobody has replied in time."}
    elif (reply := data.get("reply")) is None:
        yield {"type": "tool-output-denied", **of}
    else:
        yield {"type": "tool-output-available", **of, "output": reply}
    yield {"type": "start-step"}  # what the client had to do in the step before is done


def _was_stopped(error: RunEnded | ValuesMissed) -> bool:
    return isinstance(error, RunEnded) and error.state == "stopped"


def _told(error: RunEnded | ValuesMissed) -> str:
    """Return the message about a run's end that is shown to people."""
    if isinstance(error, ValuesMissed):
        return MISSED
    match error.state:
        case "failed":
            problem = error.problem or {}
            is_ours = problem.get("status") != 500
            return str(problem.get("detail") or problem.get("title") or FAILED) if is_ours else FAILED
        case "stopped" | "interrupted" | "done" | "running" | "asking" | "waiting":
            return INTERRUPTED
        case state:
            assert_never(state)
