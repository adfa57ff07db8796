"""Programs are tried: each is run over some ways, the rules look at what was observed, and a failure is made short."""

import gc
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import TypeVar

from antiphon.testing.pairs.documents import documents
from antiphon.testing.pairs.programs import Caller, Program, Route, Sent
from antiphon.testing.pairs.rules import RULES, Failure, Observed
from antiphon.testing.pairs.running import WAYS, NotMade, Outcome, Way, forget, run
from antiphon.testing.pairs.varied import KINDS

T = TypeVar("T")

IN_CIRCLES = frozenset({"flask", "django", "tool"})
"""Kinds that leave objects to the collector: Werkzeug's matcher, Python's task groups, tool calls that are refused."""


def failures(program: Program, ways: tuple[Way, ...] | None = None, *, document: bool | None = None) -> list[Failure]:
    """Return the rules that a program breaks, over the given ways or over those of its seed.

    Most faults show over ASGI, and each further look costs as much as that and finds some that no other one does:

    | of one program in | | which finds alone |
    |---|---|---|
    | 4 | another interface | what WSGI or RSGI give in another way |
    | 4 | mounted, HTTP/2 or inside | what a prefix, a version or another application changes |
    | 8 | a caller alone | what one caller loses by the others |
    | 16 | its document | what a feature changes in it, since reading its code takes longer than all its requests |
    | 16 | its requests twice more | what it leaves to the collector |
    """
    wants_document = _turn(program, 16) == 0 if document is None else document
    warm_up()
    gc.freeze()
    try:
        return [*_failures(program, ways or ways_of(program), wants_document)]
    finally:
        forget()


@cache
def warm_up() -> None:
    """Start what a process starts once, such as the loop of WSGI."""
    route = Route("route", "page", "GET", "/route", "return 'ready'", is_async=True)
    for way in WAYS[:3]:
        run(Program(0, (), (), (), (route,), (Sent(Caller(()), "GET", "/route", "route"),)), way)


def _turn(program: Program, of: int) -> int:
    """Return a random number for a seed, which no pair of features has at each of its turns."""
    return Random(f"{of} {program.seed}").randrange(of)


def ways_of(program: Program) -> tuple[Way, ...]:
    """Return ASGI, and by turns another interface or another way, which finds most of what varied routes break."""
    random = Random(program.seed)
    is_varied = any(each.kind in KINDS for each in program.routes) and random.random() < 0.3
    turn = 1 + _turn(program, 2) if is_varied else _turn(program, 4)
    other = {1: WAYS[1:3], 2: WAYS[7:] if is_varied else WAYS[3:7]}.get(turn)
    return (WAYS[0], random.choice(other)) if other else WAYS[:1]


def _failures(program: Program, ways: tuple[Way, ...], wants_document: bool) -> Iterator[Failure]:
    kinds = {*[each.kind for each in program.groups], *[each.kind for each in program.routes]}
    wants_garbage = _turn(program, 16) == 1 and not kinds & IN_CIRCLES
    try:
        outcomes = []
        for way in ways:
            try:
                looks = {"wants_kept": way == ways[0], "wants_garbage": wants_garbage and way in WAYS[:3]}
                outcomes.append(run(program, way, **looks))
            except TimeoutError as error:
                yield Failure("ends", "it hangs", (way,), what=str(error))
        if not outcomes:
            return
        callers = list(dict.fromkeys([each.caller for each in program.sent if each.write]))
        alone = [
            (each, _alone(program, each, ways[0]))
            for each in Random(program.seed).sample(callers, min(_turn(program, 8) == 3, len(callers)))
        ]
    except NotMade as error:
        parts = {*program.names, *[each.name for each in program.routes]}
        if sum(name in str(error) for name in parts) < 2:  # it names both
            yield Failure("refusals", "the application can't be made", ways[:1], what=str(error))
        return
    observed = Observed(program, tuple(outcomes), tuple(alone))
    for rule in RULES:
        yield from rule(observed)
    if wants_document:
        yield from documents(observed)


def _alone(program: Program, caller: Caller, way: Way) -> Outcome:
    return run(program._replace(sent=tuple([each for each in program.sent if each.caller == caller])), way)


# Shrinking


def shrunk(program: Program, fails: Callable[[Program], bool]) -> Program:
    """Return a program without all that ``fails`` does not need: requests, routes, hooks, groups and features."""
    program = _with_few_requests(program, fails)
    is_shorter = True
    while is_shorter:
        is_shorter = False
        for shorter in _shorter(program):
            if fails(shorter):
                program, is_shorter = shorter, True
                break
    return _with_few_requests(program, fails)


def _shorter(program: Program) -> Iterator[Program]:
    """Yield the program without each of its parts, and with simpler ones."""
    yield from (program.without_group(each.name) for each in program.groups)
    yield from (program.without_route(each.name) for each in program.routes if each.body)
    yield from (program.without_feature(each.name) for _, each in program.features)
    yield from (program.without_around(each.name) for each in program.around)
    for number, route in enumerate(program.routes):
        simpler = [
            route._replace(options=tuple([each for each in route.options if each != one]))
            for one in route.options
            if one[1].rate < 1
        ]
        if route.is_async and not {"await", "async"} & {*route.body.split()}:
            simpler.append(route._replace(is_async=False))
        for each in simpler:
            yield program._replace(routes=(*program.routes[:number], each, *program.routes[number + 1 :]))


def _with_few_requests(program: Program, fails: Callable[[Program], bool]) -> Program:
    return program._replace(sent=fewest(program.sent, lambda sent: fails(program._replace(sent=sent))))


def fewest(items: tuple[T, ...], fails: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """Return the items that are needed to fail, at least one: halves are left out first, then ever smaller parts."""
    size = len(items) // 2
    while size:
        start = 0
        while start < len(items):
            fewer = items[:start] + items[start + size :]
            if fewer and fails(fewer):
                items = fewer
            else:
                start += size
        size //= 2
    return items
