"""Random applications whose writes are previewed before: ``python -m tests.pairs.ledger``.

Each is tried without and with a preview before each write of a route with a ledger. All other requests get the same
responses and have the same effects, though a caller may reach its limits sooner; and a preview shows the one row.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import count
from random import Random
from types import SimpleNamespace

import psycopg

from antiphon import Dependency
from antiphon.testing.pairs.composer import program_of
from antiphon.testing.pairs.programs import Feature, Option, Program, Route, Sent
from antiphon.testing.pairs.rules import RULES, Failure, Observed, is_accepted, shown_by
from antiphon.testing.pairs.running import WAYS, NotMade, Outcome, Seen, Way, carried, run
from antiphon.testing.pairs.table import features
from antiphon.testing.pairs.trying import OfPrograms, apart
from antiphon_ledger import Ledger, is_guarded
from tests.helpers.postgres import PostgresServer, execute
from tests.helpers.system_programs import path_of

URL = "PAIRS_LEDGER"
"""The environment variable with the URL of the database."""
DATABASE = Dependency("database")
TABLES = {"public.effects": ["number", "value"]}
CREATE = """create table effects (number serial primary key, value text not null); create role shop login;
grant all on effects, effects_number_seq to shop"""
USERS = ("Bearer", "Basic", "SessionLogin", "APIKey", "two sources")
LEDGERED = frozenset({"effect", "form"})
_FIELDS = ("content-type", "if-match", "if-none-match", "accept")
PREVIEWED: Counter[str] = Counter()
"""How often a preview had which status, and how many applications were compared."""


class Effects:
    """Effects as rows. Routes without a ledger add them by a connection of this list."""

    _own: psycopg.Connection | None = None

    def append(self, value):
        """Add a value that JSON has."""
        self._run("insert into effects (value) values (%s)", json.dumps(value))

    def __len__(self):
        return self._run("select count(*) from effects")[0][0]

    def __getitem__(self, part):
        [found] = self._run("select coalesce(json_agg(value order by number), '[]') from effects")[0]
        return [tuple(json.loads(each)) for each in found][part]

    @classmethod
    def _run(cls, statement, *values):
        if cls._own is None or cls._own.closed:
            cls._own = psycopg.connect(os.environ[URL], autocommit=True)
        found = cls._own.execute(statement, values)
        return found.fetchall() if found.description else []


def source(request):
    """Give a connection of the role "shop", and commit at the end."""
    guarded = is_guarded(request)
    options = "-c default_transaction_read_only=on" if guarded else ""
    url = os.environ[URL].replace("antiphon@", "shop@")
    with closing(psycopg.connect(url, options=options)) as connection, connection:
        if guarded:
            connection.execute("set transaction read write")
        yield connection


def ledger():
    """Return the feature that applications use."""
    return Ledger(DATABASE, os.environ[URL], tables=TABLES, keep=3600, person=lambda request: request.user)


def write(request, value):
    """Add an effect in the transaction of a request."""
    request[DATABASE].execute("insert into effects (value) values (%s)", [json.dumps(value)])


class Previewing(Program):
    """A program whose effects are rows, with or without its previews."""

    @property
    def source(self) -> str:
        """The application's source."""
        lists = "EFFECTS, OPEN, STORE = Effects(), [], "
        return super().source.replace("EFFECTS, OPEN, STORE = [], [], ", lists)


def row(users: str) -> Feature:
    """Return the row of the ledger, beside users of a kind."""
    return Feature(
        "Ledger",
        "app.provide(DATABASE, source)\napp.use(ledger())",
        "from antiphon_ledger import LEDGER, Ledgered\n"
        "from tests.pairs.ledger import DATABASE, Effects, ledger, source, write",
        needs=(users,),
        options=(
            Option(
                "meta={LEDGER: Ledgered(preview=True)}", LEDGERED, frozenset({"user"}), rate=0.9,
                refuses=frozenset({"ResumableUploads", "Webhook"}),
            ),
        ),
        statuses=frozenset({401, 409, 412, 422, 429}),
        parameters=frozenset({"if-changes"}),
    )  # fmt: skip


def previewing(seed: int) -> Previewing:
    """Return the program of a seed, with a preview before each write of a route with a ledger."""
    users = Random(f"ledger {seed}").choice(USERS)
    made = (_made(seed + (turn << 32), users) for turn in count())
    program = next(each for each in made if any(one.route == "preview" for one in each.sent))
    return program._replace(seed=seed)


def _made(seed: int, users: str) -> Previewing:
    program = Previewing(*program_of(seed, features(row(users)), ["Ledger"]))
    routes = tuple([_ledgered(program, each) for each in program.routes])
    program = program._replace(routes=routes)
    return program._replace(sent=tuple([one for each in program.sent for one in (*_previews(program, each), each)]))


def _ledgered(program: Program, route: Route) -> Route:
    """Return a route with a ledger with a guard, and with its effects in its transaction."""
    names = dict(route.options)
    if "Ledger" not in names:
        return route
    body = route.body.replace("EFFECTS.append(", "write(request, ")
    users = next(each for _, each in program.features if each.one_of == "Users")
    own = () if users.name in names else ((users.name, users.options[0]),)
    return route._replace(body=body, options=(*own, *route.options))


def _previews(program: Program, sent: Sent) -> Iterator[Sent]:
    route = program.route(sent)
    is_plain = isinstance(sent.body, bytes) and sent.body.isascii() and sent.like in ("", "again")
    if route is None or "Ledger" not in dict(route.options) or sent.method != route.method or not is_plain:
        return
    asked = {"method": sent.method, "target": sent.target, "body": sent.body.decode()}
    asked["fields"] = {name: value for name, value in sent.fields if name.lower() in _FIELDS}
    left_out = (*_FIELDS, "content-length", "content-encoding", "transfer-encoding")
    fields = [field for field in sent.fields if field[0].lower() not in left_out]
    body = json.dumps(asked).encode()
    fields.append(("content-type", "application/json"))
    yield Sent(sent.caller, "POST", "/.preview", "preview", tuple(fields), body, sent.note, beside=sent.beside)


def failures(program: Previewing, url: str) -> list[Failure]:
    """Return the rules that a program breaks, and what differs after a preview."""
    way = Random(program.seed).choice([*WAYS[:3], WAYS[7]])
    program = carried(program, way)
    kept = [number for number, each in enumerate(program.sent) if each.route != "preview"]
    without = program._replace(sent=tuple([program.sent[number] for number in kept]))
    with apart():
        try:
            first, second = _outcome(without, way, url), _outcome(program, way, url)
        except NotMade as error:
            parts = {*program.names, *[each.name for each in program.routes]}
            is_told = sum(name in str(error) for name in parts) >= 2
            return [] if is_told else [Failure("refusals", "it can't be made", (way,), what=str(error))]
        found = [each for rule in RULES for each in rule(Observed(program, (second,)))]
    return [*found, *shows(program, second), *differs(without, first, [second.seen[each] for each in kept], way)]


def _outcome(program: Previewing, way: Way, url: str) -> Outcome:
    execute(url, "truncate effects restart identity")
    return run(program, way)


def differs(program: Program, first: Outcome, seen: list[Seen], way: Way) -> Iterator[Failure]:
    """After previews, all other requests get the same. Limits may be reached sooner."""
    if any(each.status == 429 for each in (*first.seen, *seen)):
        PREVIEWED["limited"] += 1
        return
    PREVIEWED["compared"] += 1
    for number, (sent, one, other) in enumerate(zip(program.sent, first.seen, seen, strict=True)):
        if sent.like == "hostile" or sent.like.startswith("until"):
            continue
        ones, others = ((each.status, _at_once(program, each), shown_by(each)) for each in (one, other))
        if ones != others:
            yield Failure("previews", "another request differs after them", (way,), number, f"{ones} and {others}")


def _at_once(program: Program, seen: Seen) -> list[object]:
    """Return the effects of a request that don't come later, as those of tasks do."""
    late = {each.name for each in program.routes if each.kind == "task"}
    return [each for each in seen.effects if each[0] not in late]


def shows(program: Program, outcome: Outcome) -> Iterator[Failure]:
    """A preview has no effect, and shows what the write after it does, if that is carried out."""
    for number, (sent, seen) in enumerate(zip(program.sent, outcome.seen, strict=True)):
        if sent.route != "preview":
            continue
        PREVIEWED[str(seen.status)] += 1
        if _at_once(program, seen):
            yield Failure("previews", "a preview has an effect", (outcome.way,), number, str(seen.effects))
        after, then = program.sent[number + 1], outcome.seen[number + 1]
        route = program.route(after)
        can_be_shown = "Ledger" in dict(route.options) and "signer" not in route.requires  # the preview isn't signed
        if not (can_be_shown and is_accepted(after, then) and then.effects) or seen.status == 429:
            continue
        told = f"{seen.status} {seen.text[:300]}"
        if seen.status != 200:
            yield Failure("previews", "a write happens that isn't shown", (outcome.way,), number, told)
            continue
        changes = json.loads(seen.text)["changes"]
        values = [tuple(json.loads(each["new"]["value"])) for each in changes]
        if values != [*then.effects] or [each["change"] for each in changes] != ["insert"]:
            yield Failure("previews", "a preview shows another write", (outcome.way,), number, told)


def main() -> int:
    """Try applications as the arguments say. Returns the exit status."""
    with PostgresServer(path_of("postgres")) as server:
        url = os.environ[URL] = server.lend(SimpleNamespace(addfinalizer=lambda function: None))
        execute(url, CREATE)
        made = ledger()
        made.records.create(made.declared, "shop")
        try:
            return OfPrograms(previewing, partial(failures, url=url)).main(__doc__)
        finally:
            print(dict(PREVIEWED))  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
