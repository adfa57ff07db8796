"""The two workflows that DBOS runs, for requests and jobs, and all that is called of DBOS, which only this imports."""

import logging
import pickle
from base64 import b64decode, b64encode
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from dbos import DBOS, DBOSClient, Serializer, SetWorkflowID

from antiphon.explanations import explained
from antiphon.features.recorder.shelf import Seal
from antiphon.lazy import require_names

if TYPE_CHECKING:
    from antiphon.features.durable.engine import Engine

require_names("dbos", "3", DBOS, "_recover_pending_workflows")

REQUEST, JOB = "antiphon.request", "antiphon.job"
ABOUT = "durable"

running: "list[Engine]" = []
"""The engine of this process, in which DBOS runs once."""


class Sealed(Serializer):
    """Pickled and encrypted values. Pickle is safe because nobody without the key can write what is read."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def serialize(self, data: Any) -> str:
        return b64encode(self._seal.close(pickle.dumps(data), ABOUT)).decode()

    def deserialize(self, serialized_data: str) -> Any:
        opened = self._seal.open(b64decode(serialized_data), ABOUT)
        if opened is None:
            raise explained(
                "bad-durable",
                ValueError(
                    "none of the app's secret_keys opens a durable request: keep the old keys after the new one"
                ),
            )
        return pickle.loads(opened)  # noqa: S301

    def name(self) -> str:
        return "antiphon"


@DBOS.workflow(name=REQUEST)
async def request(stored: dict[str, Any], checks: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - for retries
    """Carry out a stored request and return its response."""
    return await running[0].carry_out(stored)


@DBOS.workflow(name=JOB)
async def job(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Call the function of a job until it succeeds."""
    await running[0].work(name, args, kwargs)


def launch(url: str, name: str, executor: str, serializer: Sealed) -> None:
    """Start DBOS in this process. Blocks until its tables are up to date."""
    placeholder, logger = logging.NullHandler(), logging.getLogger("dbos")
    logger.addHandler(placeholder)  # without any handler, DBOS adds one for stderr, beside those of the program
    DBOS(
        config={
            "name": name,
            "system_database_url": url,
            "executor_id": executor,
            "application_version": name,  # or a deploy would leave behind what the one before has accepted
            "serializer": serializer,
            "log_level": "ERROR",
            "use_listen_notify": False,
        }
    )
    logger.removeHandler(placeholder)
    DBOS.launch()


def stop() -> None:
    """Stop DBOS in this process."""
    DBOS.destroy()


def recover(executors: list[str]) -> None:
    """Let any process carry out what these executors, which are dead, have begun."""
    DBOS._recover_pending_workflows(executors)  # noqa: SLF001 - all executors of a DBOS without its paid conductor


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
