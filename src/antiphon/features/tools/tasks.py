"""Runs as tasks: a tool whose handler returns a run is a task for clients that know tasks (SEP-2663). For others, it is
a call whose stream can be resumed with a GET, over any process.

The id of a task, or of an event, is a signed text with the run's id and owner, for one caller, so nothing more is
stored. The run decides the rest: it survives its request and, if it is restartable, its process. Its values are
progress; the result is their text, or the last of them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_urlsafe
from time import time
from typing import Any, Literal, TypeAlias, assert_never

from antiphon import BadSignature, HTTPError, Request
from antiphon.embedding import encode_json
from antiphon.features.runs.run import Run, RunEnded, ValuesMissed
from antiphon.features.runs.runs import Runs
from antiphon.features.tools.exchange import Outbox, whose_is
from antiphon.features.tools.protocol import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    LEGACY,
    MISSING_CAPABILITY,
    Message,
    ProtocolError,
    is_able,
)
from antiphon.features.tools.results import failure, too_large
from antiphon.features.tools.tool_call import HandledCall, Question, form_schema
from antiphon.http import BadRequest, Conflict, NotFound

TASKS = "io.modelcontextprotocol/tasks"
_SALT = "task of a tool"
_STREAM = "stream of a call"
TaskStatus: TypeAlias = Literal["working", "input_required", "completed", "failed", "cancelled"]
_POLL = 1000
"""The number of milliseconds after which clients ask for a task's status again."""


def knows_tasks(message: Message) -> bool:
    """True if the client knows tasks."""
    extensions = message.capabilities.get("extensions")
    return isinstance(extensions, dict) and isinstance(extensions.get(TASKS), dict)


class Tasks:
    """The tasks of one feature, and its calls that follow ``runs``."""

    def __init__(self, runs: Runs[Any]) -> None:
        self.runs = runs

    def created(self, request: Request, run: Run[Any]) -> dict[str, Any]:
        """Return the result of a call that has started a run."""
        ident = request.route.app.signer(_SALT).sign([run.id, run.owner, _caller(request)])
        return {"resultType": "task", **self._described(ident, run)}

    @staticmethod
    def let_resume(request: Request, message: Message, call: HandledCall, run: Run[Any], outbox: Outbox) -> None:
        """Send the ids of events with a call that follows a run, so that the same caller finds it again."""
        begun, nonce = max(call.reported, 0), token_urlsafe(6)
        of_call = [whose_is(request, message), message.id, message.version, message.progress_token, nonce]
        stream = request.route.app.signer(_STREAM).sign([of_call, begun, run.id, run.owner])
        outbox.begin(stream, begun, is_primed=message.version != LEGACY[-1])  # whose clients fail on empty data

    @staticmethod
    def resumed(request: Request, message: Message, given: str) -> tuple[Message, float, float, Sequence[Any]]:
        """Return the message of the call with an event, the progress before the run's first value and at the event, and
        the run's id and owner. Raises BadRequest (400) for an id that no event of this caller's calls has.
        """
        stream, _, place = given.rpartition("~")
        wrong = BadRequest("Last-Event-ID must be the id of an event in the stream of a call of this caller.")
        try:
            [whose, ident, version, token, _], begun, *of_run = request.route.app.signer(_STREAM).unsign(stream)
            since = float(place)
        except (BadSignature, ValueError):
            raise wrong from None
        if whose != whose_is(request, message):
            raise wrong
        meta = {"progressToken": token}
        return message._replace(method="tools/call", id=ident, version=version, meta=meta), begun, since, of_run

    async def respond(self, request: Request, message: Message, largest: int) -> dict[str, Any] | None:
        """Return the result of a method about tasks, or None for an unknown method. Raises ProtocolError."""
        if message.method not in ("tasks/get", "tasks/cancel", "tasks/update"):
            return None
        if not knows_tasks(message):
            data: dict[str, Any] = {"requiredCapabilities": {"extensions": {TASKS: {}}}}
            raise ProtocolError(MISSING_CAPABILITY, "The client has not declared that it knows tasks", data)
        ident = message.text("taskId")
        run = await self._find(request, ident)
        match message.method:
            case "tasks/cancel":
                await run.astop()
            case "tasks/get":
                return {**self._described(ident, run), **await _outcome(run, message, largest)}
            case _:
                await _reply(run, message)
        return {}

    async def _find(self, request: Request, ident: str) -> Run[Any]:
        try:
            found = request.route.app.signer(_SALT).unsign(ident)
            if not isinstance(found, list) or found[2:] != [_caller(request)]:
                raise NotFound
            return await self.runs.afind(found[0], owner=found[1])
        except (BadSignature, NotFound):
            raise ProtocolError(INVALID_PARAMS, "params.taskId names no task of this caller") from None

    def _described(self, ident: str, run: Run[Any]) -> dict[str, Any]:
        return {
            "taskId": ident,
            "status": status_of(run),
            "createdAt": _moment(run.started),
            "lastUpdatedAt": _moment(run.ended or time()),
            "ttlMs": int(self.runs._seconds * 1000),  # noqa: SLF001 - programs have no use for it
            "pollIntervalMs": _POLL,
        }


def status_of(run: Run[Any]) -> TaskStatus:
    """Return the status of a task whose client is not asked anything."""
    if not (run._record.is_live or run._is_told):  # noqa: SLF001 - its end is being handled
        return "working"
    match run.state:
        case "running" | "asking" | "waiting":
            return "working"
        case "done":
            return "completed"
        case "stopped":
            return "cancelled"
        case "failed" | "interrupted":
            return "failed"
        case state:
            assert_never(state)


async def _outcome(run: Run[Any], message: Message, largest: int) -> dict[str, Any]:
    """Return what a task has beyond its status. An error of the client's is the result of a task that is completed."""
    match status_of(run):
        case "working":
            return await _asked(run) if run.ended is None and is_able(message.capabilities, "elicitation") else {}
        case "cancelled" | "input_required":
            return {}
        case "completed" | "failed":
            pass
        case status:
            assert_never(status)
    try:
        return {"result": await _read(run, None, largest)}
    except RunEnded as error:
        if _status_of(error) < 500:
            return {"status": "completed", "result": failure(_words_of(error))}
        return {"error": {"code": INTERNAL_ERROR, "message": _words_of(error)}}


async def _asked(run: Run[Any]) -> dict[str, Any]:
    """Return the questions that wait for a reply, by their ids, except those that no form can show."""
    made = {}
    for question, kind in await run._aopen():  # noqa: SLF001 - programs have no use for the types
        try:
            schema = {**form_schema(kind), "required": question.schema.get("required", [])}
        except TypeError:
            continue
        made[question.id] = Question.form(question.id, question.text, schema).as_json()
    return {"status": "input_required", "inputRequests": made} if made else {}


async def _reply(run: Run[Any], message: Message) -> None:
    """Take replies. Those to questions that no longer wait are ignored. Raises ProtocolError for a wrong one."""
    given = message.params.get("inputResponses")
    if not isinstance(given, dict):
        raise ProtocolError(INVALID_PARAMS, "params.inputResponses must be an object")
    for ident, reply in given.items():
        try:
            await run.areply({"inputResponses": {ident: reply}})
        except (NotFound, Conflict):
            continue
        except HTTPError as error:
            faults = [f"{each['pointer']}: {each['detail']}" for each in error.problem().get("errors", ())]  # type: ignore[attr-defined]  # a list of FieldProblems
            raise ProtocolError(INVALID_PARAMS, "; ".join(faults) or str(error)) from None


async def result_of_run(run: Run[Any], call: HandledCall, largest: int) -> dict[str, Any]:
    """Return the result of a run when it has ended. Until then, report its values as progress."""
    try:
        return await _read(run, call, largest)
    except RunEnded as error:
        return failure(_words_of(error))


def _status_of(error: RunEnded) -> int:
    status = (error.problem or {}).get("status")
    return status if isinstance(status, int) else 500


def _words_of(error: RunEnded) -> str:
    problem = error.problem or {}
    return "\n".join(str(each) for each in (problem.get("title"), problem.get("detail")) if each) or f"Error: {error}"


async def _read(run: Run[Any], call: HandledCall | None, largest: int) -> dict[str, Any]:
    values, size = list[Any](), 0
    try:
        async for value in run.values():
            line = value if isinstance(value, str) else encode_json(value).decode()
            size += len(line)
            if size > largest:
                return too_large(largest)
            values.append(value)
            if call is not None:
                call.tell(line)
    except ValuesMissed as error:
        return failure(f"Error: {error}")
    return _result(values)


def _result(values: Sequence[Any]) -> dict[str, Any]:
    last = values[-1] if values else ""
    if all(isinstance(each, str) for each in values):
        return {"content": [{"type": "text", "text": "".join(values)}], "isError": False}
    content = [{"type": "text", "text": last if isinstance(last, str) else encode_json(last).decode()}]
    structured = {"structuredContent": last} if isinstance(last, Mapping) else {}
    return {"content": content, "isError": False, **structured}


def _caller(request: Request) -> str:
    return sha256(encode_json([*map(str, request.caller.identities)])).hexdigest()[:32]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
