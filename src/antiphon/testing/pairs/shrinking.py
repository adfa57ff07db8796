"""The shortest program that still breaks a rule."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from antiphon.testing.pairs.programs import Program

T = TypeVar("T")


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
