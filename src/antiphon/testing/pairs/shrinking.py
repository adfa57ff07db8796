"""The shortest program that still breaks a rule."""

from collections.abc import Callable, Iterator

from antiphon.testing.pairs.programs import Program


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
        if route.is_async and not {"await ", "async "} & {*route.body.split()}:
            simpler.append(route._replace(is_async=False))
        for each in simpler:
            yield program._replace(routes=(*program.routes[:number], each, *program.routes[number + 1 :]))


def _with_few_requests(program: Program, fails: Callable[[Program], bool]) -> Program:
    size = len(program.sent) // 2
    while size:
        start = 0
        while start < len(program.sent):
            fewer = program.sent[:start] + program.sent[start + size :]
            if fewer and fails(program._replace(sent=fewer)):
                program = program._replace(sent=fewer)
            else:
                start += size
        size //= 2
    return program
