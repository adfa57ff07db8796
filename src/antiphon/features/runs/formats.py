"""Runs as streams in the formats that chat components read: AI SDK UI messages, and AG-UI events.

Text is part of the model's answer. Other values are passed on unchanged, as objects that the component recognizes by
their ``type``.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, NamedTuple

from antiphon.concurrency.process import GRACE_OVER
from antiphon.features.runs.record import RunEnd
from antiphon.features.runs.run import Run, RunEnded, ValuesMissed
from antiphon.http.event import Event
from antiphon.response.response import Response

INTERRUPTED = "The answer was interrupted."
FAILED = "Something went wrong."
_UI_FIELDS = {"x-vercel-ai-ui-message-stream": "v1"}


def ui_message_stream(run: Run[Any]) -> Response:
    """Return a run as the stream that ``useChat`` of the AI SDK 5 to 7 reads, from the start of the run.

    A text value is part of the message's text; any other value is a separate part of the message, such as ``{"type":
    "reasoning-delta", "id": "1", "delta": "..."}``. A stopped run ends with "abort"; a run that failed or was
    interrupted ends with "error", as does a stream that is open when its process ends. The same stream is the response
    when ``useChat`` resumes.
    """
    return Response.events(_ui_parts(run), headers=_UI_FIELDS, on_drain="finish")


async def _ui_parts(run: Run[Any]) -> AsyncGenerator[Event | dict[str, Any] | str, None]:
    yield Event(comment="")
    yield {"type": "start", "messageId": run.id}
    last: dict[str, Any] = {"type": "finish"}
    async with aclosing(_parts(run)) as parts:
        async for part in parts:
            match part:
                case _TextStart(number):
                    yield {"type": "text-start", "id": str(number)}
                case _Text(number, text):
                    yield {"type": "text-delta", "id": str(number), "delta": text}
                case _TextEnd(number):
                    yield {"type": "text-end", "id": str(number)}
                case RunEnded() | ValuesMissed():
                    last = {"type": "abort"} if _was_stopped(part) else {"type": "error", "errorText": _told(part)}
                case _:
                    yield part
    yield last
    yield "[DONE]"


def ag_ui_stream(run: Run[Any], *, thread_id: str, run_id: str | None = None) -> Response:
    """Return a run as a stream of AG-UI events, from the start of the run.

    A text value is part of the assistant's message; any other value is a separate event, such as ``{"type":
    "TOOL_CALL_START", ...}``. The ids come from the client's input; ``run_id`` defaults to the run's id. The stream of
    a run that ends in any state but "done" ends with RUN_ERROR, which has the state as its code. If the process of the
    stream ends before the run does, the code is "interrupted".
    """
    events = _ag_ui_events(run, {"threadId": thread_id, "runId": run_id or run.id})
    return Response.events(events, on_drain="finish")


async def _ag_ui_events(run: Run[Any], ids: dict[str, str]) -> AsyncGenerator[Event | dict[str, Any], None]:
    yield Event(comment="")
    yield {"type": "RUN_STARTED", **ids}
    last: dict[str, Any] = {"type": "RUN_FINISHED", **ids}
    async with aclosing(_parts(run)) as parts:
        async for part in parts:
            match part:
                case _TextStart(number):
                    yield {"type": "TEXT_MESSAGE_START", "messageId": f"{run.id}-{number}", "role": "assistant"}
                case _Text(number, text):
                    if text:  # AG-UI rejects an empty part
                        yield {"type": "TEXT_MESSAGE_CONTENT", "messageId": f"{run.id}-{number}", "delta": text}
                case _TextEnd(number):
                    yield {"type": "TEXT_MESSAGE_END", "messageId": f"{run.id}-{number}"}
                case RunEnded() | ValuesMissed():
                    code = part.end.state if isinstance(part, RunEnded) else "missed"
                    last = {"type": "RUN_ERROR", "message": _told(part), "code": code}
                case _:
                    yield part
    yield last


class _TextStart(NamedTuple):
    number: int


class _Text(NamedTuple):
    number: int
    text: str


class _TextEnd(NamedTuple):
    number: int


async def _parts(run: Run[Any]) -> AsyncGenerator[Any, None]:
    """Yield a run's values, with each sequence of text values between the start and the end of a numbered text. If the
    run ends with an error, or this process does, yield the error instead of raising it.
    """
    number = 0
    is_open = False
    error: RunEnded | ValuesMissed | None = None
    try:
        async with aclosing(run.values()) as values:
            async for value in values:
                if isinstance(value, str) and not is_open:
                    number, is_open = number + 1, True
                    yield _TextStart(number)
                elif is_open and not isinstance(value, str):
                    is_open = False
                    yield _TextEnd(number)
                yield _Text(number, value) if isinstance(value, str) else value
    except (RunEnded, ValuesMissed) as ended:
        error = ended
    except asyncio.CancelledError:
        if not GRACE_OVER.is_given:
            raise
        error = RunEnded(RunEnd("interrupted", 0))  # for this client: the run may go on in another process
    if error is not None:
        yield error
    if is_open:
        yield _TextEnd(number)


def _was_stopped(error: RunEnded | ValuesMissed) -> bool:
    return isinstance(error, RunEnded) and error.end.state == "stopped"


def _told(error: RunEnded | ValuesMissed) -> str:
    """Return the message about a run's end that is shown to people."""
    if isinstance(error, RunEnded) and error.end.state == "failed":
        problem = error.end.problem or {}
        is_ours = problem.get("status") != 500
        return str(problem.get("detail") or problem.get("title") or FAILED) if is_ours else FAILED
    return INTERRUPTED
