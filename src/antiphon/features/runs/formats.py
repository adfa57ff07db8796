"""Runs as streams in the format that chat components read: AI SDK UI messages.

Text is part of the model's answer. Other values are passed on unchanged, as objects that the component recognizes by
their ``type``.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any, NamedTuple, assert_never

from antiphon import Response
from antiphon.embedding import GRACE_OVER
from antiphon.features.runs.questions import asks_approval
from antiphon.features.runs.record import Kind, Line, RunEnd
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
    last: dict[str, Any] = {"type": "finish"}
    async with aclosing(_parts(run, since)) as parts:
        async for part in parts:
            match part:
                case _TextStart(number):
                    yield {"type": "text-start", "id": str(number)}
                case _Text(number, text):
                    yield {"type": "text-delta", "id": str(number), "delta": text}
                case _TextEnd(number):
                    yield {"type": "text-end", "id": str(number)}
                case _Asked(question, is_open):
                    for each in _ui_question(question, is_open):
                        yield each
                case _Replied():
                    yield _ui_reply(part)
                    yield {"type": "start-step"}  # what the client had to do in the step before is done
                case RunEnded() | ValuesMissed():
                    last = {"type": "abort"} if _was_stopped(part) else {"type": "error", "errorText": _told(part)}
                case _:
                    yield part
    yield last
    yield "[DONE]"


def _ui_question(question: dict[str, Any], is_open: bool) -> Iterator[dict[str, Any]]:
    name = question["schema"].get("title", "ask")
    yield {"type": "tool-input-available", "toolCallId": question["id"], "toolName": name, "input": question}
    if is_open and asks_approval(question):
        yield {"type": "tool-approval-request", "approvalId": question["id"], "toolCallId": question["id"]}


def _ui_reply(told: "_Replied") -> dict[str, Any]:
    of = {"toolCallId": told.id}
    if told.is_expired:
        return {"type": "tool-output-error", **of, "errorText": "Nobody has replied in time."}
    if told.reply is None:
        return {"type": "tool-output-denied", **of}
    return {"type": "tool-output-available", **of, "output": told.reply}


class _TextStart(NamedTuple):
    number: int


class _Text(NamedTuple):
    number: int
    text: str


class _TextEnd(NamedTuple):
    number: int


class _Asked(NamedTuple):
    question: dict[str, Any]
    is_open: bool


class _Replied(NamedTuple):
    id: str
    reply: Any = None
    is_expired: bool = False


async def _parts(run: Run[Any], since: str | None) -> AsyncGenerator[Any, None]:
    """Yield a run's values, with each sequence of text values between the start and the end of a numbered text, and its
    questions and replies, up to the first question that waits for a reply.

    ``since`` is the question after whose reply to begin. If the run ends with an error, or this process does, yield the
    error instead of raising it.
    """
    number = 0
    is_open, is_shown = False, since is None
    error: RunEnded | ValuesMissed | None = None
    told: set[str] = set()
    try:
        async with aclosing(run._items()) as items:
            async for value in items:
                if is_open and not isinstance(value, str):
                    is_open = False
                    if is_shown:
                        yield _TextEnd(number)
                if isinstance(value, Line):
                    part = _about_person(value)
                    if (key := f"{value.kind} {value.value()['id']}") in told:
                        continue
                    told.add(key)
                    if isinstance(part, _Asked):
                        part = part._replace(is_open=await run._is_open(part.question["id"]))
                    elif part.id == since:
                        is_shown = True
                    if is_shown:
                        yield part
                    if isinstance(part, _Asked) and part.is_open:
                        return
                    continue
                if isinstance(value, str) and not is_open:
                    number, is_open = number + 1, True
                    if is_shown:
                        yield _TextStart(number)
                if is_shown:
                    yield _Text(number, value) if isinstance(value, str) else value
    except (RunEnded, ValuesMissed) as ended:
        error = ended
    except asyncio.CancelledError:
        if not GRACE_OVER.is_given:
            raise
        error = RunEnded(RunEnd("interrupted", 0))  # for this client: the run may go on in another process
    if error is not None:
        yield error
    if is_open and is_shown:
        yield _TextEnd(number)


def _about_person(line: Line) -> "_Asked | _Replied":
    data = line.value()
    return (
        _Asked(data, is_open=False)
        if line.kind == Kind.QUESTION
        else _Replied(data["id"], data.get("reply"), data.get("expired", False))
    )


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
