"""The streams that chat components read, made from a run: the UI messages of the AI SDK, and the events of AG-UI.

Text is a part of the answer. Other values pass as they are: objects that the component knows by their ``type``.
"""

from collections.abc import AsyncGenerator
from typing import Any

from antiphon.features.runs.run import Run, RunEnded, ValuesMissed
from antiphon.http.event import Event
from antiphon.response.response import Response

INTERRUPTED = "The answer was interrupted."
FAILED = "Something went wrong."
_UI_FIELDS = {"x-vercel-ai-ui-message-stream": "v1"}


def ui_message_stream(run: Run[Any]) -> Response:
    """Return the stream that ``useChat`` of the AI SDK 5 to 7 reads, from the start of a run.

    A value that is text is a part of the message's text, another one a part of the message by itself, such as
    ``{"type": "reasoning-delta", "id": "1", "delta": "..."}``. A run that was stopped ends with "abort", one that has
    failed or was interrupted with "error". The same response answers the request with which ``useChat`` resumes.
    """
    return Response.events(_ui_parts(run), headers=_UI_FIELDS)


async def _ui_parts(run: Run[Any]) -> AsyncGenerator[Event | dict[str, Any] | str, None]:
    yield Event(comment="")
    yield {"type": "start", "messageId": run.id}
    text = ""
    count = 0
    last: dict[str, Any] = {"type": "finish"}
    try:
        async for value in run.values():
            if isinstance(value, str):
                if not text:
                    count += 1
                    text = str(count)
                    yield {"type": "text-start", "id": text}
                yield {"type": "text-delta", "id": text, "delta": value}
                continue
            if text:
                yield {"type": "text-end", "id": text}
                text = ""
            yield value
    except (RunEnded, ValuesMissed) as error:
        last = {"type": "abort"} if _was_stopped(error) else {"type": "error", "errorText": _told(error)}
    if text:
        yield {"type": "text-end", "id": text}
    yield last
    yield "[DONE]"


def ag_ui_stream(run: Run[Any], *, thread_id: str, run_id: str | None = None) -> Response:
    """Return the stream of AG-UI's events, from the start of a run.

    A value that is text is a part of the assistant's message, another one an event by itself, such as
    ``{"type": "TOOL_CALL_START", ...}``. The ids are those of the client's input; ``run_id`` is the run's by default.
    A run that has ended, but is not done, ends with RUN_ERROR, with the state as its code.
    """
    return Response.events(_ag_ui_events(run, {"threadId": thread_id, "runId": run_id or run.id}))


async def _ag_ui_events(run: Run[Any], ids: dict[str, str]) -> AsyncGenerator[Event | dict[str, Any], None]:
    yield Event(comment="")
    yield {"type": "RUN_STARTED", **ids}
    message = ""
    count = 0
    last: dict[str, Any] = {"type": "RUN_FINISHED", **ids}
    try:
        async for value in run.values():
            if isinstance(value, str):
                if not message:
                    count += 1
                    message = f"{run.id}-{count}"
                    yield {"type": "TEXT_MESSAGE_START", "messageId": message, "role": "assistant"}
                if value:  # AG-UI refuses an empty part
                    yield {"type": "TEXT_MESSAGE_CONTENT", "messageId": message, "delta": value}
                continue
            if message:
                yield {"type": "TEXT_MESSAGE_END", "messageId": message}
                message = ""
            yield value
    except (RunEnded, ValuesMissed) as error:
        code = error.end.state if isinstance(error, RunEnded) else "missed"
        last = {"type": "RUN_ERROR", "message": _told(error), "code": code}
    if message:
        yield {"type": "TEXT_MESSAGE_END", "messageId": message}
    yield last


def _was_stopped(error: RunEnded | ValuesMissed) -> bool:
    return isinstance(error, RunEnded) and error.end.state == "stopped"


def _told(error: RunEnded | ValuesMissed) -> str:
    """Return what people read about the end of a run."""
    if isinstance(error, RunEnded) and error.end.state == "failed":
        problem = error.end.problem or {}
        is_ours = problem.get("status") != 500
        return str(problem.get("detail") or problem.get("title") or FAILED) if is_ours else FAILED
    return INTERRUPTED
