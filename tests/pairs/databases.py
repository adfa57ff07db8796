"""Random applications on servers, whose writes are in PostgreSQL: ``python -m tests.pairs.databases``.

The database fails at its nth call during a request, and restarts between others. The outcome is an error or the right
effect, never a lost or a double one, and the next request is right.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from antiphon.testing.pairs.composer import program_of
from antiphon.testing.pairs.programs import Around, Feature, Option, Program, Route
from antiphon.testing.pairs.rules import Failure, Observed, effects, ends, refusals, secrets, shown
from antiphon.testing.pairs.running import Way
from antiphon.testing.pairs.table import WRITES, features
from antiphon.testing.pairs.trying import OfPrograms
from tests.helpers.postgres import PostgresServer, execute
from tests.helpers.system_programs import path_of
from tests.pairs.faults import KINDS, faults, with_faults
from tests.pairs.rows import CREATE, FAULTS, URL, Rows
from tests.pairs.served import STEPS, Served, in_folder, outcome_of, prepared, server_of, with_steps

INSIDE = "app.provide(DATABASE, connect)\nwrites = IdempotentWrites(inside=DATABASE)\napp.use(writes)"
FAILING = "@app.middleware\ndef failing(request):\n    fail_in_turn()\n    yield"


class OnDatabase(Served):
    """A program whose writes are in PostgreSQL."""

    effects = Rows


def durable(options: str) -> Feature:
    """Return the row of durable requests, which need a database of PostgreSQL."""
    refuses = frozenset({"IdempotentWrites", "ResumableUploads", "Webhook"})  # a delivery happens once anyway
    return Feature(
        "Durable",
        f"durable = Durable({options}, path='/of-durable')\napp.use(durable)",
        options=(Option("durable=True", WRITES, once=True, rate=0.7, refuses=refuses),),
        statuses=frozenset({202, 400, 422, 503}),
        parameters=frozenset({"idempotency-key"}),
    )


def known_features() -> list[Feature]:
    """Return all features, those that write with a database of PostgreSQL."""
    options = "__import__('os').environ['PAIRS_DATABASE'], name=folder().name, lease=1.0, wait=30.0"
    inside = [
        each._replace(source=INSIDE, options=tuple([option._replace(in_view="") for option in each.options]))
        if each.name == "IdempotentWrites"
        else each
        for each in features()
    ]
    return [*inside, durable(options)]


def on_database(seed: int) -> OnDatabase:
    """Return the program of a seed, in which some requests are sent again: first while the database fails."""
    random, known, server = Random(f"database {seed}"), known_features(), server_of(seed)
    program = next(made for turn in count() if _writes(made := program_of(seed + (turn << 32), known)))
    program = OnDatabase(*program)._replace(
        seed=seed,
        routes=tuple([_writing(each) for each in program.routes]),
        around=(*program.around, Around("failing", FAILING)),
    )
    program = with_faults(prepared(program, server), random, [*FAULTS], lambda route: route.is_once)
    return with_steps(program, server, random, STEPS)


def _writes(program: Program) -> bool:
    return any(route.is_once and route.kind in KINDS for route in program.routes)


def _writing(route: Route) -> Route:
    """Return a route whose effects are part of its transaction, or steps."""
    names = {name for name, _ in route.options}
    if "IdempotentWrites" in names:  # its connection is blocking
        added = route.body.replace("EFFECTS.append(", "EFFECTS.add(request[DATABASE], ")
        return route._replace(body=added, is_async=False)
    if "Durable" in names:
        step = "await durable.astep" if route.is_async else "durable.step"
        return route._replace(body=route.body.replace("EFFECTS.append(", f"{step}(EFFECTS.append, "))
    return route


def failures(program: OnDatabase, database: PostgresServer) -> list[Failure]:
    """Return the rules that a program breaks on a server."""
    server = server_of(program.seed)
    way = Way(server.name, "rsgi" if server.ends_cut_streams else server.interface)
    with TemporaryDirectory() as folder, in_folder(folder):
        outcome = outcome_of(program, server, way, Path(folder), database.restart)
    observed = Observed(program, (outcome,))
    return [each for rule in (effects, shown, secrets, refusals, ends, faults) for each in rule(observed)]


@contextmanager
def on_server(database: PostgresServer) -> Iterator[None]:
    """Have the programs use a server's database."""
    os.environ[URL] = database.url
    execute(database.url, CREATE)
    try:
        yield
    finally:
        del os.environ[URL]


if __name__ == "__main__":
    with PostgresServer(path_of("postgres")) as server, on_server(server):
        sys.exit(OfPrograms(on_database, partial(failures, database=server)).main(__doc__))
