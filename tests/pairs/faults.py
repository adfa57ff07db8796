"""Random applications whose store fails once, in each of some requests: ``python -m tests.pairs.faults``.

A request during which the store fails has an error or the right effect, and so has its repeat: with an Idempotency-Key,
both together have one effect. All other requests keep what always holds.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeVar

from antiphon import current_request
from antiphon.app.store import unavailable
from antiphon.features import MemoryStore, SQLiteStore
from antiphon.testing.pairs.composer import program_of
from antiphon.testing.pairs.programs import Program, Route, Sent
from antiphon.testing.pairs.rules import Failure, Observed, effects, ends, is_accepted, refusals, secrets, shown
from antiphon.testing.pairs.running import WAYS, NotMade, Seen, carried, run
from antiphon.testing.pairs.table import features
from antiphon.testing.pairs.trying import OfPrograms, apart

P = TypeVar("P", bound=Program)
CALLS = ["load", "reload", "change", "add", "replace", "delete", "rotate", "owned_by", "delete_owned", "increment"]
KINDS = frozenset({"effect", "form", "page", "conditional", "typed", "begin"})
STORES = ("FailingMemory()", "FailingSQLite(Path(mkdtemp(), 'store.db'))")
MOST = 6
"""The number of requests during which the store fails."""
FIRSTS: dict[str, str] = {}
"""The ids of the requests during which the store fails, by the field that their repeats have, too."""
COUNTS: Counter[str] = Counter()
"""The calls of the store by the ids of requests."""


def fail_in_turn() -> None:
    """Raise StoreUnavailable if this is the call at which the store fails, by the field of the current request."""
    try:
        request = current_request()
    except RuntimeError:  # in the background
        return
    if (fault := request.head.field("x-fault")) and FIRSTS.setdefault(fault, request.id) == request.id:
        COUNTS[request.id] += 1
        if COUNTS[request.id] == int(fault.partition(" ")[0]):
            raise unavailable("planted", OSError("it fails once"))


class _Log:
    """The log of a channel, whose calls fail in their turn, too."""

    def __init__(self, log: Any) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._log, name)
        return self._failing(found) if callable(found) else found

    def _failing(self, function: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            fail_in_turn()
            return function(*given, **named)

        return call


def _failing(base: Any) -> Any:
    def failing(name: str) -> Any:
        def call(self: Any, *given: Any, **named: Any) -> Any:
            fail_in_turn()
            return getattr(super(made, self), name)(*given, **named)

        return call

    def channel_log(self: Any, name: str) -> Any:
        log = super(made, self).channel_log(name)
        return log and _Log(log)

    made: Any = type(base)(f"Failing{base.__name__}", (base,), {name: failing(name) for name in CALLS})
    made.channel_log = channel_log
    return made


FailingMemory, FailingSQLite = _failing(MemoryStore), _failing(SQLiteStore)


class Faulty(Program):
    """A program whose store fails."""

    @property
    def source(self) -> str:
        """The application's source."""
        return f"from tests.pairs.faults import FailingMemory, FailingSQLite\n\n\n{super().source}"


def faulty(seed: int) -> Faulty:
    """Return the program of a seed, in which some requests are sent again: first while the store fails, then not."""
    random = Random(f"faulty {seed}")
    program = with_faults(Faulty(*program_of(seed, features())), random, ["unavailable"], lambda _: True)
    return program._replace(store=random.choice(STORES))


def with_faults(program: P, random: Random, faults: list[str], can_fail: Callable[[Route], bool]) -> P:
    """Return a program in which some requests are sent again: first while something fails, then not."""
    sent = [*program.sent]
    fitting = [
        each for each in sent if (route := program.route(each)) and can_fail(route) and _may_fail(program, each, route)
    ]
    may = [*{each.write or each: each for each in fitting}.values()]
    for turn, each in enumerate(random.sample(may, min(MOST, len(may)))):
        at = sent.index(each) + 1
        sent[at:at] = _while_failing(each, 1 + (program.seed + turn) % MOST, random.choice(faults))
    return program._replace(sent=tuple(sent))


def _may_fail(program: Program, sent: Sent, route: Route) -> bool:
    return (
        route.kind in KINDS
        and not (sent.like or sent.beside or sent.target.startswith("$"))
        and program.expects(sent, route) == "accepted"
    )


def _while_failing(sent: Sent, turn: int, fault: str) -> list[Sent]:
    """Return a request during which something fails at a call, and its repeat. Rules call them killed."""
    fields = [(name, f'"faulty {value[1:]}' if name == "idempotency-key" else value) for name, value in sent.fields]
    fields.append(("x-fault", f"{turn} {fault}: {sent.target} {sent.note} {sent.caller.name}"))
    again = sent._replace(fields=tuple(fields), write=sent.write and f"{sent.write} faulty", like="after kill")
    return [again._replace(like="killed"), again]


def failures(program: Faulty) -> list[Failure]:
    """Return the rules that a program breaks."""
    FIRSTS.clear()
    way = WAYS[program.seed % 3]
    program = carried(program, way)
    try:
        with apart():
            outcome = run(program, way)
    except NotMade:  # which pairs look at
        return []
    observed = Observed(program, (outcome,))
    return [each for rule in (effects, shown, secrets, refusals, ends, faults) for each in rule(observed)]


def faults(observed: Observed) -> Iterator[Failure]:
    """While the store fails, there is an error or the right effect; then there is the right effect, and no second."""
    program, [outcome] = observed.program, observed.outcomes
    before = 0
    for number, (sent, seen) in enumerate(zip(program.sent, outcome.seen, strict=True)):
        route = program.route(sent)
        if route is None or sent.like not in ("killed", "after kill"):
            continue
        is_again = sent.like == "after kill"
        before = before if is_again and route.is_once else 0
        if wrong := _wrong(program, sent, seen, route, before, is_again):
            yield Failure("faults", wrong, (outcome.way,), number, f"{seen.status} {seen.text[:200]}")
        before = len(seen.effects)


def _wrong(program: Program, sent: Sent, seen: Seen, route: Route, before: int, is_again: bool) -> str:
    """Return what is wrong with the response of a request, of which an earlier attempt had so many effects."""
    allowed = {200, 201, 204, 409, 429} | (set() if is_again else {503})
    count = before + len(seen.effects)
    if any(each[1:] != (program.who(sent.caller, route), sent.note) for each in seen.effects):
        return "an effect is another caller's"
    if seen.status not in allowed or (seen.status == 409 and not route.is_once):
        return f"{seen.status} {'after' if is_again else 'at'} a fault"
    if is_accepted(sent, seen) and sent.write and count != 1:
        return f"an accepted write has {count} effects {'after' if is_again else 'at'} a fault"
    return "a write has several effects" if count > 1 else ""


if __name__ == "__main__":
    sys.exit(OfPrograms(faulty, failures).main(__doc__))
