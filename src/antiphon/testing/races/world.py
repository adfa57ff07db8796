"""Worlds: the requests of a test, sent beside each other in a different order for each seed, and a race's message."""

import inspect
import linecache
import logging
import random
import sys
import sysconfig
import warnings
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Literal, Self, TypeAlias, Unpack, get_args

from antiphon.explanations import explained
from antiphon.features.recorder.record import Record
from antiphon.testing.client import AsyncClient
from antiphon.testing.races import databases, loop, primitives
from antiphon.testing.races.loop import replaced
from antiphon.testing.races.primitives import observed
from antiphon.testing.races.running import Outcome, Run, Scenario, Sent
from antiphon.testing.races.scheduler import Fault, Place, Plan, Switch
from antiphon.testing.requests import RequestOptions
from antiphon.testing.responses import ClientResponse
from antiphon.testing.servers.transports import Interface

FaultKind: TypeAlias = Literal["die", "leave", "refuse", "slow", "terminate"]


class RaceFound(AssertionError):
    """An order of requests in which something fails. Its ``seed`` is the number that brings it back."""

    def __init__(self, message: str, seed: int) -> None:
        super().__init__(message)
        self.seed = seed


def request(
    method: str, url: str, **options: Unpack[RequestOptions]
) -> Callable[[AsyncClient], Awaitable[ClientResponse]]:
    """Return a request for ``World.send``. Its options are those of ``Client.request``."""

    async def send(client: AsyncClient) -> ClientResponse:
        return await client.request(method, url, **options)

    return send


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
            "bad-test-request", f"the faults must be some of {', '.join(get_args(FaultKind))}, not {unknown[0]!r}"
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
            raise explained("bad-test-request", "a world can't be explored within another one", RuntimeError)
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
    options: RequestOptions = {"headers": fields, "body": step.body} if step.body else {"headers": fields}
    return request(step.method, step.target, **options)


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


SHRINKING = 60
"""The maximum number of runs that shrink a plan."""


def plan_of(seed: int, baseline: Outcome, faults: Collection[str]) -> Plan:
    """Return the plan of a seed, for an application that has the choices of ``baseline`` in its default order.

    Seed 0 is the default order. Odd seeds switch once, before each line in turn and then at each turn of a loop; even
    ones switch up to four times. A fourth of the switches stall. With ``faults``, two of three plans have a fault.
    """
    if seed == 0:
        return Plan()
    source = random.Random(f"races {seed}")
    order = [*_shuffled(baseline.lines), *_shuffled(baseline.turns)]
    if not order:
        chosen = []
    elif seed % 2:
        chosen = [order[seed // 2 % len(order)]]
    else:
        kinds = [kind for kind in (baseline.lines, baseline.lines, baseline.turns) if kind]
        chosen = sorted(source.choice(source.choice(kinds)) for _ in range(source.choice((1, 2, 2, 3, 4))))
    switches = tuple(Switch(each, source.randrange(6), source.random() < 0.25) for each in chosen)
    if not faults or source.random() < 1 / 3:
        return Plan(switches)
    fault = Fault(1 + source.randrange(baseline.points), source.choice(sorted(faults)), source.randrange(6))
    return Plan(switches if source.random() < 0.5 else (), (fault,))  # most faults need no switch


def _shuffled(points: Sequence[int]) -> list[int]:
    return random.Random("order").sample(points, len(points))


def shrink(failed: Outcome, run: Callable[[Plan], Outcome]) -> Outcome:
    """Leave out every fault and switch without which a run still fails, and let none stall in vain."""
    left = SHRINKING
    is_smaller = True
    while is_smaller and left > 0:
        is_smaller = False
        for candidate in _smaller(failed.applied):
            left -= 1
            if left >= 0 and (smaller := run(candidate)).failure is not None:
                failed, is_smaller = smaller, True
                break
    return failed


def _smaller(plan: Plan) -> list[Plan]:
    switches, faults = plan
    found = [Plan(switches, ())] if faults else []
    found += [Plan(switches[:at] + switches[at + 1 :], faults) for at in range(len(switches))]
    for at, switch in enumerate(switches):
        if switch.stalls:
            found.append(Plan((*switches[:at], switch._replace(stalls=False), *switches[at + 1 :]), faults))
    return found


WIDTH = 50
"""The width of a column if there are two, in characters."""
AROUND = 4
"""The number of lines that are shown before and after each switch."""


def describe(seed: int, outcome: Outcome) -> RaceFound:
    """Return the error for a run that failed."""
    switches, faults = outcome.applied
    count = f"{len(switches)} switch{'' if len(switches) == 1 else 'es'}"
    parts = [f"seed {seed}", *(_fault(fault.kind) for fault in faults), count]
    places = [place for place in outcome.places if place.owner]
    turns = [(before, after) for before, after in pairwise(places) if before.owner != after.owner]
    story = ", then ".join(_place(place) for place in _turning(turns))
    head = f"{', '.join(parts)}: {story + '; ' if story else ''}again with seeds=[{seed}]"
    failure = outcome.failure
    reason = f"{type(failure).__name__}: {failure}" if str(failure) else repr(failure)
    found = RaceFound("\n".join([head, reason, *_columns(outcome.places)]), seed)
    found.__cause__ = failure
    return found


def _turning(turns: Sequence[tuple[Place, Place]]) -> list[Place]:
    """Return the places of the first turn: the last line of one request and the first of the next."""
    return [*turns[0]] if turns else []


def _fault(kind: str) -> str:
    return {
        "die": "the process dies", "leave": "a client leaves", "refuse": "the store refuses",
        "slow": "the store is slow", "terminate": "SIGTERM",
    }[kind]  # fmt: skip


def _place(place: Place) -> str:
    return f"request {place.owner} at {Path(place.file).name}:{place.line} `{_source(place)}`"


def _source(place: Place) -> str:
    return linecache.getline(place.file, place.line).strip()


def _columns(places: Sequence[Place]) -> list[str]:
    """Return the lines around the switches, in a column for each request, in the order in which they ran."""
    places = [place for place in places if place.owner]
    owners = sorted({place.owner for place in places})
    width = max(WIDTH // max(len(owners) - 1, 1), 24)
    near = {
        index + offset
        for index, (before, after) in enumerate(pairwise(places))
        if before.owner != after.owner
        for offset in range(1 - AROUND, AROUND + 1)
    }
    shown = [index for index in range(len(places)) if index in near][: 10 * AROUND]
    if not shown:
        return []
    lines = ["  " + " ".join(f"{f'request {owner}':{width}}" for owner in owners).rstrip()]
    for before, index in zip([shown[0] - 1, *shown], shown, strict=False):
        if index > before + 1:
            lines.append("  ...")
        place = places[index]
        text = f"{Path(place.file).name}:{place.line} {_source(place)}"[:width]
        lines.append("  " + " " * ((width + 1) * owners.index(place.owner)) + text)
    return lines
