"""The two workflows that DBOS runs, for requests and jobs, and all that is called of DBOS, which only this imports."""

import logging
import pickle
from base64 import b64decode, b64encode
from collections.abc import Callable, Coroutine, Iterable
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from dbos import DBOS, DBOSClient, Serializer, SetWorkflowID, _dbos
from dbos import error as errors
from dbos._core import execute_dequeued_workflow
from dbos._dbos import _get_dbos_instance, _get_or_create_dbos_registry
from dbos._sys_db import SystemDatabase
from dbos._utils import INTERNAL_QUEUE_NAME
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, IntegrityError

from antiphon import explained
from antiphon.embedding import require_names
from antiphon.features.durable.flow import Elsewhere, current, needing_another
from antiphon.features.seal import Seal

if TYPE_CHECKING:
    from antiphon.features.durable.engine import Engine

require_names("dbos", "3", SystemDatabase, "reenqueue_for_recovery")
require_names("dbos", "3", SystemDatabase, "start_queued_workflows")
_POLLING = ("queue_thread", "background_jobs_thread", "dynamic_scheduler_loop")
for _each in _POLLING:
    require_names("dbos", "3", _dbos, _each)

REQUEST, JOB = "antiphon.request", "antiphon.job"
RECOVERED = INTERNAL_QUEUE_NAME
"""The queue of requests that are carried out again."""
ABOUT = "durable"
LARGEST = 1 << 29
"""The largest text that is stored, in bytes. A field of PostgreSQL has a gigabyte."""
MOST_STARTS = 10_000
"""The number of processes that may begin a request or job, so that one that ends them all is left alone some day."""

running: "list[Engine]" = []
"""The engine of this process, in which DBOS runs once."""


class Sealed(Serializer):
    """Pickled and encrypted values. Pickle is safe because nobody without the key can write what is read."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def serialize(self, data: Any) -> str:
        try:
            text = b64encode(self._seal.close(pickle.dumps(data), ABOUT)).decode()
            if len(text) > LARGEST:
                raise explained("bad-durable", f"{len(text)} bytes can't be stored, only {LARGEST}")
        except Exception as error:
            _note(error)
            raise
        return text

    def deserialize(self, serialized_data: str) -> Any:
        """Return a value. Raises Elsewhere if this process lacks the key, or the code of the value's class."""
        with needing_another():
            opened = self._seal.open(b64decode(serialized_data), ABOUT)
        if opened is None:
            raise explained(
                "bad-durable",
                Elsewhere("none of the app's secret_keys opens a durable request: keep the old keys after the new one"),
            )
        with needing_another():
            data = pickle.loads(opened)  # noqa: S301
        _note(data, is_read=True)
        return data

    def name(self) -> str:
        return "antiphon"


def _note(error: object, *, is_read: bool = False) -> None:
    """Note an error of the work that is carried out here: recorded by an earlier process, or by what can't be."""
    if isinstance(error, BaseException) and (flow := current.get()) is not None:
        flow.error_of_work = error
        flow.may_pass |= is_read


@DBOS.workflow(name=REQUEST, max_recovery_attempts=MOST_STARTS)
async def request(stored: dict[str, Any], checks: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - for retries
    """Carry out a stored request and return its response."""
    return await running[0].carry_out(stored)


@DBOS.workflow(name=JOB, max_recovery_attempts=MOST_STARTS)
async def job(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Call the function of a job until it succeeds."""
    await running[0].work(name, args, kwargs)


def launch(
    url: str, name: str, executor: str, serializer: Sealed, tell: Callable[[Exception], bool], pool: int
) -> Callable[[], list[str]]:
    """Start DBOS in this process. Blocks until its tables are up to date.

    Afterwards, ``tell`` is called with each error of the database, and DBOS tries again what has failed if it returns
    True: at the end of a process, that would keep it alive while the database is away.
    Return a function that returns the ids of what is carried out here.
    """
    placeholder, logger = logging.NullHandler(), logging.getLogger("dbos")
    logger.addHandler(placeholder)  # without any handler, DBOS adds one for stderr, beside those of the program
    dbos = DBOS(
        config={
            "name": name,
            "system_database_url": url,
            "sys_db_pool_size": pool,
            "executor_id": executor,
            "application_version": name,  # or a deploy would leave behind what the one before has accepted
            "serializer": serializer,
            "log_level": "ERROR",
            "use_listen_notify": False,
        }
    )
    logger.removeHandler(placeholder)
    for each in _POLLING:
        setattr(_dbos, each, _nothing)
    DBOS.launch()

    @event.listens_for(dbos._sys_db.engine, "handle_error")  # noqa: SLF001 - its config takes one that it doesn't set up
    def try_again(context: Any) -> None:
        """Make DBOS repeat what failed on a full disk or a replica, as it does without a connection."""
        error = context.sqlalchemy_exception
        if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError):
            context.is_disconnect = True
            dbos._sys_db._retry_connection_errors = tell(error)  # noqa: SLF001 - its config has no such option

    active: Callable[[], list[str]] = dbos._active_workflows_set.activeList  # noqa: SLF001
    return active


def _nothing(*_: object) -> None:
    """Take the place of DBOS's threads that look each second for what we claim, or for what we don't use."""


def claim(jobs: Any, most: int) -> bool:
    """Begin to carry out here what is queued. Return True if no more jobs have room here."""
    dbos = _get_dbos_instance()
    database, running_here = dbos._sys_db, dbos._active_workflows_set  # noqa: SLF001
    for queue in _get_or_create_dbos_registry().get_internal_queue(), jobs:
        owner, at_work = token_hex(16), running_here.count_for_queue(queue.name)
        ids, _ = database.start_queued_workflows(
            queue, running[0].executor, running[0].name, None, at_work, owner_xid=owner
        )
        for each in database.get_workflow_statuses(ids) if ids else ():
            try:
                _execute(dbos, each, owner)
            except Exception:
                logging.getLogger("antiphon").exception("id %s could not be begun", each["workflow_uuid"])
    return at_work + len(ids) >= most


def _execute(dbos: DBOS, claimed: Any, owner: str) -> None:
    """Carry out what was claimed, unless its arguments can't be read here. After too many starts, it fails of that."""
    engine, kind, name = running[0], claimed["name"].removeprefix("antiphon."), "that can't be read"
    id_ = claimed["workflow_uuid"]
    try:
        first = engine.serializer.deserialize(claimed["inputs"])["args"][0]
        name = first if kind == "job" else f"{first['method']} {first['path']}"
    except Elsewhere as error:
        if (claimed["recovery_attempts"] or 0) <= MOST_STARTS:
            engine.leave(id_, error)
            return
    engine.taken_up.add(id_)
    try:
        execute_dequeued_workflow(dbos, claimed, owner)
    except (Elsewhere, errors.MaxRecoveryAttemptsExceededError) as error:  # DBOS has ended it
        engine.note_end(kind, name, id_, error)


stop, status = DBOS.destroy, DBOS.get_workflow_status_async
"""The functions that stop DBOS in this process, and return the status of a request, or None if there is none."""


def requeue(client: DBOSClient, ids: Iterable[str], executors: list[str]) -> None:
    """Let any process carry out what one of these executors has begun, if it still has it."""
    for id_ in ids:
        client._sys_db.reenqueue_for_recovery(id_, executors, RECOVERED)  # noqa: SLF001 - for one request


async def start(id_: str, stored: dict[str, Any], checks: dict[str, Any]) -> Any:
    """Start a request here, unless one has this id. Return its handle."""
    with SetWorkflowID(id_):
        return await DBOS.start_workflow_async(request, stored, checks)


def record(name: str, function: Callable[[], Any]) -> Any:
    """Call a function as a step, on this thread."""
    return DBOS.run_step({"name": name}, function)


async def arecord(name: str, function: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Call a function as a step, on the loop."""
    return await DBOS.run_step_async({"name": name}, function)


def current_id() -> str:
    """Return the id of the request or job that is carried out here."""
    return DBOS.workflow_id or ""


def client_of(engine: Any, name: str, serializer: Sealed) -> DBOSClient:
    """Return what reads and writes the tables with an engine of SQLAlchemy."""
    return DBOSClient(
        system_database_engine=engine, serializer=serializer, application_name=name, retry_connection_errors=False
    )
