"""Programs are tried: each is run over some ways, and the rules look at what was observed."""

import gc
from collections.abc import Iterator
from functools import cache
from random import Random

from antiphon.testing.pairs.documents import documents
from antiphon.testing.pairs.programs import Caller, Program, Route, Sent
from antiphon.testing.pairs.rendering import VIEWS
from antiphon.testing.pairs.rules import RULES, Failure, Observed
from antiphon.testing.pairs.running import WAYS, NotMade, Outcome, Way, forget, run
from antiphon.testing.pairs.varied import KINDS

IN_CIRCLES = frozenset({*VIEWS, "socket", "stream", "tool", "foreign", "Runs", "Recorder"})
"""Kinds of routes, groups and features that leave objects to the collector."""


def failures(program: Program, ways: tuple[Way, ...] | None = None, *, document: bool | None = None) -> list[Failure]:
    """Return the rules that a program breaks, over the given ways or over those of its seed.

    The documents of one program in four are checked, since reading its code takes longer than all its requests; of
    another one in four, what it leaves to the collector.
    """
    wants_document = program.seed % 4 == 0 if document is None else document
    _warm_up()
    gc.freeze()
    try:
        return [*_failures(program, ways or ways_of(program), wants_document)]
    finally:
        forget()


@cache
def _warm_up() -> None:
    """Start what a process starts once, such as the loop of WSGI."""
    route = Route("route", "page", "GET", "/route", "return 'ready'", is_async=True)
    for way in WAYS[:3]:
        run(Program(0, (), (), (), (route,), (Sent(Caller(()), "GET", "/route", "route"),)), way)


def ways_of(program: Program) -> tuple[Way, ...]:
    """Return ASGI, another interface, and one more way: inside of another application only for what shows that best."""
    random = Random(program.seed)
    is_varied = any(each.kind in KINDS for each in program.routes) and random.random() < 0.3
    return WAYS[0], random.choice(WAYS[1:3]), random.choice(WAYS[7:] if is_varied else WAYS[3:7])


def _failures(program: Program, ways: tuple[Way, ...], wants_document: bool) -> Iterator[Failure]:
    kinds = {*[each.kind for each in program.groups], *[each.kind for each in program.routes]}
    wants_garbage = program.seed % 4 == 1 and not (kinds | program.names) & IN_CIRCLES
    try:
        outcomes = []
        for way in ways:
            try:
                outcomes.append(run(program, way, wants_garbage=wants_garbage and way in WAYS[:3]))
            except TimeoutError as error:
                yield Failure("ends", "it hangs", (way,), what=str(error))
        if not outcomes:
            return
        callers = list(dict.fromkeys([each.caller for each in program.sent if each.write]))
        alone = [
            (each, _alone(program, each, ways[0]))
            for each in Random(program.seed).sample(callers, min(1, len(callers)))
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
