"""The stored requests and jobs, as operators see them: lists, by state and name, and how to have those
that have failed carried out again, or never, from any process.
"""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, assert_never

from antiphon import Response
from antiphon.embedding import KeptResponse
from antiphon.features import StoreUnavailable
from antiphon.features.durable.flow import Elsewhere, needing_another
from antiphon.features.durable.stored import AGAIN, CANCEL, Tables, kept_of, request_of

if TYPE_CHECKING:
    from dbos import WorkflowStatus

    from antiphon.features.durable.engine import Engine
    from antiphon.features.seal import Seal

State: TypeAlias = Literal["queued", "open", "finished", "failed", "cancelled"]
STATUSES: dict[State, list[str]] = {
    "failed": ["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
    "open": ["PENDING"],
    "queued": ["ENQUEUED", "DELAYED"],
    "finished": ["SUCCESS"],
    "cancelled": ["CANCELLED"],
}
"""The states of requests and jobs, and those of DBOS."""
UNREADABLE = "that can't be read"


class RequestFailed(Exception):
    """The outcome of a request that has failed: its response, as it is ``kept``, and the kind of its error, if any."""

    @property
    def kept(self) -> dict[str, Any]:
        return self.args[0]  # type: ignore[no-any-return]

    @classmethod
    def of(cls, response: Response) -> "RequestFailed":
        """Return the outcome of a request with this response."""
        return cls(kept_of(response), "" if response.error is None else type(response.error).__name__)

    def __str__(self) -> str:
        return f"{self.kept['status']} {self.args[1]}".rstrip()

    __repr__ = __str__  # without the body


class Work(NamedTuple):
    """A request or job: the route or function that is its ``name``, when it began, in seconds, and its error.

    ``ended`` changes with each time that it ends.
    """

    id: str
    kind: str
    name: str
    state: State
    began: float
    ended: int
    error: str


def state_of(found: "WorkflowStatus") -> State:
    """Return the state of a request or job."""
    match found.status:
        case "ENQUEUED" | "DELAYED":
            return "queued"
        case "PENDING":
            return "open"
        case "SUCCESS":
            return "finished"
        case "ERROR" | "MAX_RECOVERY_ATTEMPTS_EXCEEDED":
            return "failed"
        case "CANCELLED":
            return "cancelled"
        case unknown:
            assert_never(unknown)


def args_of(found: "WorkflowStatus") -> tuple[Any, ...]:
    """Return the arguments of a request or job. Raises StoreUnavailable if they can't be read here."""
    if not isinstance(found.input, dict):
        raise StoreUnavailable.for_now()
    return found.input["args"]


def is_carried_out_again(found: "WorkflowStatus") -> bool:
    """Return True for a request that is carried out again when its client asks for it."""
    kept: Any = found.output
    return state_of(found) == "failed" or (isinstance(kept, dict) and KeptResponse.is_retried(kept["status"]))


class Administration:
    """The requests and jobs of an application, in its database."""

    def __init__(self, engine: "Engine", seal: "Seal") -> None:
        from antiphon.features.durable import workflows

        self._engine, self._workflows = engine, workflows
        self._serializer, self._tables = workflows.Sealed(seal), Tables(engine.url)
        self._client = workflows.client_of(self._tables.engine, engine.name, self._serializer)

    def close(self) -> None:
        """Close the connections."""
        self._client.destroy()
        self._tables.engine.dispose()

    def works(self, state: State, name: str | None = None) -> list[Work]:
        """Return the requests and jobs in a state, of a route or function if it has a ``name``, the latest first."""
        status, app = STATUSES[state], self._engine.name
        found = self._client.list_workflows(status=status, sort_desc=True, application_name=app)
        return [work for each in found if name in (None, (work := self._work(each)).name)]

    def find(self, id_: str) -> Work | None:
        """Return the request or job with this id, or None."""
        found = self._found(id_)
        return None if found is None else self._work(found)

    def steps(self, id_: str) -> list[tuple[str, str]]:
        """Return the steps of a request or job, each with its error."""
        return [(each["function_name"], _told(each["error"])) for each in self._client.list_workflow_steps(id_)]

    def explain_unusable(self, id_: str) -> str:
        """Return why this version of the application can't carry out a request or job, "" if it can."""
        found = self._found(id_)
        try:
            with needing_another():
                first = "" if found is None else self._args(found.input)[0]
                if isinstance(first, dict):
                    self._engine.handlers(request_of(first))
                elif first:
                    self._engine.functions(first)
        except Elsewhere as error:
            return f"this version of the app can't carry it out: {error}"
        return ""

    def retry(self, work: Work) -> bool:
        """Have what has failed, or was cancelled, carried out again, but for its steps. Return False for all else."""
        queue = f"{self._engine.name}-jobs" if work.kind == "job" else self._workflows.RECOVERED
        is_over = work.state in ("failed", "cancelled")
        return is_over and bool(self._tables.run(AGAIN, id=work.id, ended=work.ended, queue=queue)[0])

    def cancel(self, work: Work) -> None:
        """Have what is queued, open or failed never carried out again: what is open ends at its next step."""
        self._tables.run(CANCEL, id=work.id)
        self._client.cancel_workflow(work.id)

    def _found(self, id_: str) -> "WorkflowStatus | None":
        return next(iter(self._client.list_workflows(workflow_ids=[id_], application_name=self._engine.name)), None)

    def _work(self, found: "WorkflowStatus") -> Work:
        kind, began, ended = found.name[9:], (found.created_at or 0) / 1000, found.completed_at or 0
        try:
            args = self._args(found.input)
            name = args[1]["what"] if kind == "request" else args[0]
        except Elsewhere:
            name = UNREADABLE
        return Work(found.workflow_id, kind, name, state_of(found), began, ended, _told(found.error))

    def _args(self, given: Any) -> tuple[Any, ...]:
        """Return the arguments of a request or job. Raises Elsewhere if they can't be read here."""
        args: tuple[Any, ...] = given["args"] if isinstance(given, dict) else given
        if isinstance(args, str):  # DBOS has failed to
            args = self._serializer.deserialize(args)["args"]
        return self._serializer.deserialize(*args[1]) if args[0] == "" else args


def _told(error: object) -> str:
    """Return an error in a line, "" for none; one that can't be read is a text."""
    return "" if error is None else UNREADABLE if isinstance(error, str) else repr(error)
