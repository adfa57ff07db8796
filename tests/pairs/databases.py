"""Random applications on servers, whose writes are in PostgreSQL: ``python -m tests.pairs.databases``.

Each writes by a library, whose source commits or leaves that to handlers. On the transaction hang jobs, mails after
the commit, and another connection. The database fails at its nth call during a request, and restarts between others.
The outcome is an error or the right effect, never a lost or a double one, and the next request is right.
"""

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import SimpleNamespace

from antiphon.testing.pairs.composer import program_of
from antiphon.testing.pairs.programs import Around, Caller, Feature, Option, Program, Route, Sent
from antiphon.testing.pairs.rules import Failure, Observed, effects, ends, refusals, secrets, shown
from antiphon.testing.pairs.running import Way
from antiphon.testing.pairs.table import WRITES, features
from antiphon.testing.pairs.trying import OfPrograms
from tests.helpers.postgres import PostgresServer, execute
from tests.helpers.system_programs import path_of
from tests.pairs.faults import KINDS, faults, with_faults
from tests.pairs.rows import CREATE, FAULTS, URL, Rows, counted, rows_of
from tests.pairs.served import STEPS, Served, in_folder, outcome_of, prepared, server_of, with_steps
from tests.pairs.shared import SharedList

BY_HAND = ("psycopg", "async psycopg", "SQLAlchemy Core", "async SQLAlchemy", "async SQLAlchemy Core")
"""The libraries whose handlers may end a transaction for which a source has a block."""
LIBRARIES = (*[(each, source) for each in BY_HAND for source in ("source", "closing")],
             ("SQLAlchemy", "source"), ("SQLAlchemy", "closing"), ("asyncpg", "source"))  # fmt: skip
FAILING = "@app.middleware\ndef failing(request):\n    fail_in_turn()\n    yield"
SETTLED = "jobs_done"
"""The route that responds once all jobs are done."""


class OnDatabase(Served):
    """A program whose writes are in PostgreSQL."""

    effects = Rows


def durable(options: str) -> Feature:
    """Return the row of durable requests, which need a database of PostgreSQL."""
    refuses = frozenset({"IdempotentWrites", "ResumableUploads", "Webhook"})  # a delivery happens once anyway
    return Feature(
        "Durable",
        f"durable = Durable({options}, path='/of-durable')\napp.use(durable)",
        options=(Option("durable=True", WRITES, once=True, rate=0.2, refuses=refuses),),
        statuses=frozenset({202, 400, 422, 503}),
        parameters=frozenset({"idempotency-key"}),
    )


def known_features(library: str, source: str) -> list[Feature]:
    """Return all features, those that write with a database of PostgreSQL."""
    row = durable(f"__import__('os').environ['{URL}'], name='pairs', lease=1.0, wait=30.0, inside=DATABASE")
    bank = f"bank = Bank({library!r}, {source!r})\napp.provide(DATABASE, bank.source)\napp.provide(OTHER, bank.source)"
    used = row._replace(source=f"{bank}\n{row.source}\nbank.durable = durable")
    return [*[_on_database(each) for each in features()], used]


def _on_database(feature: Feature) -> Feature:
    """Return a feature as it is used with a database, so that each application can be made."""
    if feature.name == "IdempotentWrites":
        source = "writes = IdempotentWrites(inside=DATABASE)\napp.use(writes)"
        options = tuple([option._replace(in_view="") for option in feature.options])
        return feature._replace(source=source, options=options, needs=("Durable",), places=frozenset({"app"}))
    if feature.name == "ByKey":  # which has no scopes
        return feature._replace(options=tuple([each for each in feature.options if "scope" not in each.source]))
    return feature


def on_database(seed: int) -> OnDatabase:
    """Return the program of a seed, in which some requests are sent again: first while the database fails."""
    random, server = Random(f"database {seed}"), server_of(seed)
    library, source = random.choice(LIBRARIES)
    known, by = known_features(library, source), random.choice(["IdempotentWrites"] * 3 + ["Durable"])
    program = next(made for turn in count() if _writes(made := program_of(seed + (turn << 32), known), by))
    routes = [_writing(random, each, library, source) for each in program.routes]
    waiting = {each.name for each in routes if "job" in _words_of(each)}
    settled = Route(SETTLED, "of feature", "GET", f"/{SETTLED}", f"return wait_for_jobs({waiting})", shows=False)
    program = OnDatabase(*program)._replace(
        seed=seed, routes=(*routes, settled), around=(*program.around, Around("failing", FAILING))
    )
    program = with_faults(prepared(program, server), random, [*FAULTS], lambda route: route.is_once)
    program = with_steps(program, server, random, STEPS)
    return program._replace(sent=(*program.sent, Sent(Caller(()), "GET", settled.pattern, SETTLED)))


def _writes(program: Program, by: str) -> bool:
    return any(by in dict(route.options) and route.kind in KINDS for route in program.routes)


def _writing(random: Random, route: Route, library: str, source: str) -> Route:
    """Return a route whose effects are part of its transaction, or steps."""
    if "IdempotentWrites" in dict(route.options):
        is_async = library.startswith("async")
        pay = "await bank.apay" if is_async else "bank.pay"
        body = route.body.replace("EFFECTS.append(", f"{pay}(request, '{_words(random, library, source)}', ")
        if not is_async:
            body = body.replace("[each async for each in request.values_as(Order)]", "request.values_as(Order)")
        return route._replace(body=body, is_async=is_async)
    if "Durable" in dict(route.options):
        step = "await durable.astep" if route.is_async else "durable.step"
        return route._replace(body=route.body.replace("EFFECTS.append(", f"{step}(EFFECTS.append, "))
    return route


def _words(random: Random, library: str, source: str) -> str:
    """Return what a handler does with its transaction, word by word."""
    begins = ["", "", "undone", "undone undone", *["dropped"] * (source == "closing" or library in BY_HAND)]
    begin = random.choice(begins)
    hangs = random.sample(["job", "mail", "note"], random.randint(0, 3))
    words = random.sample([random.choice(["effect", "inner"]), *hangs], 1 + len(hangs))
    if source == "closing":
        words += ["commit", *["commit_note"] * ("note" in hangs), *random.choice([[], ["rollback"], ["commit"]])]
    elif library in BY_HAND:
        words.insert(random.randint(1, len(words)), random.choice(["", "commit"]))
    return " ".join(" ".join([begin, *words]).split())


def _words_of(route: Route | None) -> list[str]:
    found = re.search(r"pay\(request, '([^']*)'", route.body if route else "")
    return found[1].split() if found else []


def failures(program: OnDatabase, database: PostgresServer) -> list[Failure]:
    """Return the rules that a program breaks on a server, in a database of its own."""
    server = server_of(program.seed)
    way = Way(server.name, "rsgi" if server.ends_cut_streams else server.interface)
    with TemporaryDirectory() as folder, in_folder(folder), ExitStack() as stack:
        os.environ[URL] = database.lend(SimpleNamespace(addfinalizer=stack.callback))
        execute(os.environ[URL], CREATE)
        outcome = outcome_of(program, server, way, Path(folder), database.restart)
        found = {"mail": SharedList("mails"), "job": rows_of("jobs"), "note": rows_of("notes")}
        kept = {kind: counted(values) for kind, values in found.items()}
    observed = Observed(program, (outcome,))
    found = [each for rule in (effects, shown, secrets, refusals, ends, faults) for each in rule(observed)]
    return [*found, *hangs(observed, kept)]


def hangs(observed: Observed, kept: dict[str, Counter[str]]) -> Iterator[Failure]:
    """What hangs on a transaction is there for each effect, and for nothing else. The mail of a fault may be lost."""
    program, [outcome] = observed.program, observed.outcomes
    all_ = [each for seen in outcome.seen for each in seen.effects]
    known = [each for _, _, _, _, seen in observed.exchanges() for each in seen.effects]  # not those around a fault
    may_run_again = any(each.like in ("killed", *STEPS) for each in program.sent)  # before its end was recorded
    for kind, found in kept.items():
        names = {each.name for each in program.routes if kind in _words_of(each)}
        missing = counted(each for each in (all_ if kind == "job" else known) if each[0] in names) - found
        more = Counter() if kind == "note" else found - counted(all_)
        if missing and not (kind == "job" and outcome.seen[-1].status == 429):  # as it waits for them
            yield Failure("hangs", f"a {kind} is lost", (outcome.way,), what=str(missing))
        if more.keys() - counted(all_).keys():
            yield Failure("hangs", f"a {kind} has no effect", (outcome.way,), what=str(more))
        elif more and not (kind == "job" and may_run_again):
            yield Failure("hangs", f"a {kind} comes twice", (outcome.way,), what=str(more))


if __name__ == "__main__":
    with PostgresServer(path_of("postgres")) as server:
        sys.exit(OfPrograms(on_database, partial(failures, database=server)).main(__doc__))
