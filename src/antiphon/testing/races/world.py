"""Worlds: the requests of a test, sent beside each other in a different order for each seed."""

import inspect
import logging
import sys
import sysconfig
import warnings
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Literal, Self, TypeAlias, Unpack, get_args

from antiphon.explanations import explained
from antiphon.features.recorder.record import Record
from antiphon.testing.client import AsyncClient
from antiphon.testing.races import databases, loop, primitives
from antiphon.testing.races.determinism import replaced
from antiphon.testing.races.exploration import plan_of, shrink
from antiphon.testing.races.lines import observed
from antiphon.testing.races.report import RaceFound, describe
from antiphon.testing.races.running import Outcome, Run, Scenario, Sent
from antiphon.testing.races.scheduler import Plan
from antiphon.testing.requests import RequestOptions
from antiphon.testing.responses import ClientResponse
from antiphon.testing.servers.transports import Interface

FaultKind: TypeAlias = Literal["die", "leave", "refuse", "slow", "terminate"]


@dataclass(frozen=True)
class RequestToSend:
    """A request for ``World.send``."""

    method: str
    url: str
    options: RequestOptions

    async def __call__(self, client: AsyncClient) -> ClientResponse:
        """Send the request and return its response."""
        return await client.request(self.method, self.url, **self.options)


def get(url: str, **options: Unpack[RequestOptions]) -> Callable[[AsyncClient], Awaitable[ClientResponse]]:
    """Return a GET request to send. Its options are those of ``Client.request``."""
    return RequestToSend("GET", url, options)


def post(url: str, **options: Unpack[RequestOptions]) -> Callable[[AsyncClient], Awaitable[ClientResponse]]:
    """Return a POST request to send. Its options are those of ``Client.request``."""
    return RequestToSend("POST", url, options)


def put(url: str, **options: Unpack[RequestOptions]) -> Callable[[AsyncClient], Awaitable[ClientResponse]]:
    """Return a PUT request to send. Its options are those of ``Client.request``."""
    return RequestToSend("PUT", url, options)


def patch(url: str, **options: Unpack[RequestOptions]) -> Callable[[AsyncClient], Awaitable[ClientResponse]]:
    """Return a PATCH request to send. Its options are those of ``Client.request``."""
    return RequestToSend("PATCH", url, options)


def delete(url: str, **options: Unpack[RequestOptions]) -> Callable[[AsyncClient], Awaitable[ClientResponse]]:
    """Return a DELETE request to send. Its options are those of ``Client.request``."""
    return RequestToSend("DELETE", url, options)


def races(
    make_app: Callable[[], Any],
    *,
    seeds: int | Sequence[int] = 100,
    files: Iterable[str | Path | ModuleType] = (),
    faults: Collection[FaultKind] = (),
    restart: Callable[[], Any] | None = None,
    interface: Interface = "asgi",
) -> "World":
    """Return a world for a ``with`` statement, at whose end its requests are sent once for each seed.

    ``make_app`` returns a new app, or a list of apps that share a store, like processes, with everything they change.
    ``seeds`` is how many orders are tried, or the numbers of some. Before each line of the app's own files, another
    thread may move: those of the package of ``make_app``, or only its file if it isn't in one, and ``files``, which are
    modules, folders and paths. ``faults`` are also chosen by the seed: ``"leave"`` (a client disconnects), ``"die"``
    (the process ends as by kill -9), ``"terminate"`` (SIGTERM), ``"slow"`` and ``"refuse"`` (the store). After a death,
    the requests of the next ``send`` go to the app of ``restart``. The end of the block raises RaceFound. Raises
    ValueError for an unknown fault.
    """
    if unknown := sorted(set(faults) - set(get_args(FaultKind))):
        raise explained(
            "bad-test-request",
            ValueError(f"the faults must be some of {', '.join(get_args(FaultKind))}, not {unknown[0]!r}"),
        )
    return World(make_app, seeds, _own_files(make_app, files), faults, restart, interface)


class World:
    """The requests and checks of a test."""

    def __init__(
        self,
        make_app: Callable[[], Any],
        seeds: int | Sequence[int],
        is_own: Callable[[str], bool],
        faults: Collection[str],
        restart: Callable[[], Any] | None,
        interface: Interface,
    ) -> None:
        self._scenario = Scenario(make_app, restart, interface, is_own, [], [])
        self._seeds = seeds
        self._faults = faults
        self._count = 0
        self.app: Any = None
        """The app of the current run, or the list of its apps, for checks."""

    def send(self, *steps: Callable[..., Any] | Record) -> tuple[Sent, ...]:
        """Send requests beside each other, after those of earlier calls. Return them for checks.

        An ``async def`` function is also accepted; it is called with an AsyncClient and can send several requests,
        open WebSockets and read streams. A plain function is called on a thread, without arguments. A record of
        ``Recorder`` is sent again. All clients share their cookies. With several apps, the requests go to them in turn.
        """
        sent = tuple(Sent(self._count + number, _callable(step)) for number, step in enumerate(steps, 1))
        self._count += len(sent)
        self._scenario.phases.append([*sent])
        return sent

    def check(self, condition: Callable[[], object]) -> None:
        """Call a function after each run; the run fails if it returns False or raises an error."""
        self._scenario.checks.append(condition)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self._explore()

    def _explore(self) -> None:
        if primitives.ahead:
            raise explained("bad-test-request", RuntimeError("a world can't be explored within another one"))
        with (
            replaced([*databases.replacements(), *loop.replacements()]),
            databases.patched_psycopg(),
            _quiet(bool(self._faults)),
            observed(self._scenario.is_own, _on_line),
        ):
            found = self._search()
        if found is not None:
            raise found

    def _search(self) -> RaceFound | None:
        self._run(Plan(), 0)  # what is made once in a process is now made
        first = self._run(Plan(), 0)
        for seed in range(self._seeds) if isinstance(self._seeds, int) else self._seeds:
            plan = plan_of(seed, first, self._faults)
            outcome = first if seed == 0 else self._run(plan, seed)
            if outcome.failure is not None:
                return describe(seed, self._shrunk(seed, outcome))
        return None

    def _shrunk(self, seed: int, failed: Outcome) -> Outcome:
        return shrink(failed, lambda plan: self._run(plan, seed))

    def _run(self, plan: Plan, seed: int) -> Outcome:
        return Run(self._scenario, plan, lambda app: setattr(self, "app", app)).make(seed)


def _callable(step: Callable[..., Any] | Record) -> Callable[..., Any]:
    if callable(step):
        return step
    fields = [(name, value) for name, value in step._sent_fields() if name not in ("cookie", "content-length")]
    body: RequestOptions = {"body": step.body} if step.body else {}
    return RequestToSend(step.method, step.target, {"headers": fields, **body})


@contextmanager
def _quiet(has_faults: bool) -> Iterator[None]:
    """Log nothing of hundreds of runs, and don't warn of what a dead process has not closed."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            if has_faults:
                warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
                warnings.simplefilter("ignore", ResourceWarning)
            yield
    finally:
        logging.disable(before)


def _on_line(file: str, line: int) -> None:
    running = primitives.ahead[-1] if primitives.ahead else None
    if running is not None and (actor := running.current()) is not None:
        running.line(actor, file, line)


def _own_files(make_app: Callable[[], Any], files: Iterable[str | Path | ModuleType]) -> Callable[[str], bool]:
    """Return a function that recognizes the application's own files."""
    module = sys.modules.get(getattr(make_app, "__module__", ""))
    roots = [_root(each) for each in files]
    if module is not None and module.__package__ and "antiphon" not in module.__package__.partition(".")[0]:
        roots.append(_root(module))
    exact = {inspect.getsourcefile(inspect.unwrap(make_app)) or ""}
    outside = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))
    known: dict[str, bool] = {}

    def is_own(file: str) -> bool:
        if file not in known:
            is_below = any(file == root or file.startswith(f"{root}/") for root in roots)
            known[file] = file in exact or (is_below and not file.startswith(outside))
        return known[file]

    return is_own


def _root(place: str | Path | ModuleType) -> str:
    if isinstance(place, ModuleType):
        file = Path(place.__file__ or "")
        return str(file.parent if place.__package__ else file)
    return str(Path(place).resolve())
