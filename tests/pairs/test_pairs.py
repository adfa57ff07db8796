"""Random applications keep what always holds, whatever features they have; and what breaks a rule is found.

``python -m antiphon.testing.pairs`` tries as many as its time allows, with a new seed each time.
"""

import ast
import gc
import inspect
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

import antiphon.features
from antiphon import App, Request, Response
from antiphon.app.route import RouteOptions
from antiphon.features.openapi.audit.report import audited
from antiphon.features.openapi.changes.operations import Comparison, today
from antiphon.testing.pairs import table, varied
from antiphon.testing.pairs.__main__ import Pairs
from antiphon.testing.pairs.composer import AROUND, DJANGO, program_of
from antiphon.testing.pairs.going_on import SIZE, most_lines
from antiphon.testing.pairs.programs import Around, Caller, Feature, Option, Program, Route, Sent
from antiphon.testing.pairs.rendering import script_of
from antiphon.testing.pairs.running import WAYS, load, run
from antiphon.testing.pairs.table import features
from antiphon.testing.pairs.trials import shrunk
from antiphon.testing.pairs.trying import document_of, failures
from tests.helpers import zygote
from tests.helpers.free_threading import frees_at_once
from tests.helpers.rows import rows
from tests.pairs.__main__ import mutants

SEEDS = range(8)
UNPAIRED = Path(__file__).with_name("unpaired.toml")


@pytest.mark.parametrize("seed", SEEDS)
@frees_at_once
def test_an_application_keeps_what_always_holds(seed):
    assert failures(program_of(seed, features())) == []


def test_what_the_process_keeps_for_all_requests_is_not_left_of_one():
    gc.unfreeze()  # as in a process that has frozen nothing
    assert failures(program_of(SEEDS[0], features())) == []


def test_a_seed_always_makes_the_same_program():
    assert program_of(3, features()) == program_of(3, features())
    assert program_of(3, features()).source != program_of(4, features()).source


@rows("way", WAYS)
def test_a_script_sends_the_same_over_its_way(way, capsys):
    route = Route("route", "page", "GET", "/route", "return f'at {request.root_path} over {request.http_version}'")
    program = Program(0, (), (), (), (route,), (Sent(Caller(()), "GET", "/route", "route"),))
    script = script_of(program, way, (way.interface,))
    exec(script, {})
    assert capsys.readouterr().out.splitlines()[0].endswith(f"at {way.prefix} over {way.version}")
    assert ("Client(outer, " in script) is way.name.startswith(("mounted", "inside"))


PLANTED = {
    "effects": "@app.after_request\ndef planted(request, response):\n    EFFECTS.extend(EFFECTS[-1:])",
    "shown": (
        "FIRST = {}\n\n\n@app.middleware\ndef planted(request):\n    response = yield\n"
        "    if request.method == 'GET' and request.path.count('/') == 1:\n"
        "        return FIRST.setdefault(request.path, response)"
    ),
    "secrets": (
        "import logging\n\n\n@app.before_request\ndef planted(request):\n"
        "    logging.getLogger('antiphon').warning(request.headers.get('authorization', ''))"
    ),
    "refusals": "@app.errorhandler(401)\ndef planted(request, error):\n    return 'welcome', 200",
    "cached": (
        "def innermost(head):\n    return innermost(head.inner) if hasattr(head, 'inner') else head\n\n\n"
        "@app.middleware\ndef planted(request):\n    yield\n    if request.method == 'GET':\n"
        "        received = [getattr(innermost(request.head), name, '') for name in ('environ', 'scope')]\n"
        "        text = str('authorization' in str(received).lower())\n"
        "        return Response(text, headers={'cache-control': 'public, max-age=60'})"
    ),
    "callers": (
        "SEEN = set()\n\n\n@app.before_request\ndef planted(request):\n    SEEN.add(str(request.caller.key))\n"
        "    if len(SEEN) > 2 and request.method != 'GET':\n        abort(403)"
    ),
    "interfaces": (
        "@app.after_request\ndef planted(request, response):\n"
        "    response.headers['x-head'] = type(request.head).__name__"
    ),
    "ways": "@app.before_request\ndef planted(request):\n    if request.method == 'HEAD':\n        abort(403)",
    "kept": (
        "@app.before_request\ndef planted(request):\n    app.planted = getattr(app, 'planted', [])\n"
        "    app.planted.append(request.headers.get('authorization'))"
    ),
    "bounded": (
        "@app.before_request\ndef planted(request):\n    for value in request.headers.values():\n"
        "        for _ in value:\n            _ = value\n            _ = value"
    ),
    "ends": "KEPT = []\n\n\n@app.before_request\ndef planted(request):\n    KEPT.append(request)",
}
"""A hook that breaks each rule."""


@pytest.mark.processes
def test_a_django_application_lets_the_framework_log():
    made = DJANGO.format(interface="WSGI", name="site")
    loggers = "__import__('logging').root.manager.loggerDict.items()"
    check = f"print([name for name, each in {loggers} if getattr(each, 'disabled', False)])"
    ran = zygote.run("-c", f"import antiphon.testing\nantiphon.testing.Client\n{made}\n{check}")
    assert ran.stdout == "[]\n"


@rows("rule", [*PLANTED])
def test_what_breaks_a_rule_is_found(rule):
    assert any(each.rule == rule for seed in range(60) for each in failures(_planted(seed, rule), document=False))


def _planted(seed: int, rule: str) -> Program:
    return _with_hook(seed, PLANTED[rule])


def _with_hook(seed: int, source: str) -> Program:
    program = program_of(seed, features())
    return program._replace(around=(*program.around, Around("planted", source)))


SLOW = """\
from threading import Thread

SEEN = []


def work():
    for _ in range(800_000):
        pass


@app.before_request
def late(request):
    if "range" not in request.headers:
        for _ in range(4):
            Thread(target=work).start()"""


def test_work_that_threads_still_have_of_earlier_requests_is_not_that_of_a_hostile_one():
    body = "SEEN.append(request.headers.get('range', len(SEEN)))\nif SEEN[-1] in SEEN[:-1]:\n    return 'again', 202\n"
    body += "EFFECTS.append('page')\nfor _ in range(100_000):\n    pass\nreturn str(len(EFFECTS))"
    route = Route("page", "page", "GET", "/page", body, shows=False)
    sent = Sent(Caller(()), "GET", "/page", "page")
    hostile = sent._replace(fields=(("range", ";" * SIZE),), like="hostile")
    program = Program(0, (), (Around("late", SLOW),), (), (route,), (sent, hostile, sent))
    seen = run(program, WAYS[0], wants_kept=True).seen
    assert seen[1].lines <= most_lines(hostile)
    assert [each.text for each in seen] == ["1", "2", "3"]


SIGNED = next(each for each in features() if each.name == "Signatures")
COPIED = "size = sum(map(len, request.stream))\nreturn request.copy().path"


@rows(
    "method, way, option, body",
    ("GET", WAYS[2], ("Signatures", SIGNED.options[0]), "return ''"),  # RSGI hides how a path was written
    ("POST", WAYS[3], ("", Option('receive="stream"', frozenset())), COPIED),
)
def test_what_a_way_can_not_help_is_no_failure(method, way, option, body):
    route = Route("page", "varied", method, "/page/<path:rest>", body, shows=False, options=(option,), parameter="rest")
    sent = Sent(Caller(SIGNED.signs[:1]), method, "/page/%2e%2e/x", "page", body=None if method == "GET" else b"{}")
    program = Program(0, (("app", SIGNED),), (), (), (route,), (sent,))
    assert len({each.seen[0].status for each in (run(program, WAYS[0]), run(program, way))}) == 2
    assert failures(program, (WAYS[0], way), document=False) == []


def test_a_limit_counts_the_same_requests_over_each_way():
    limit = Feature("RateLimit", "app.use(RateLimit('1/day'))", statuses=frozenset({429}))
    page = Route("page", "page", "GET", "/page", "return ''", shows=False)
    socket = Route("socket", "socket", "GET", "/socket", "socket.accept()\nsocket.send(socket.receive())")
    sent = tuple([Sent(Caller(()), "GET", f"/{like or 'page'}", like or "page", like=like) for like in ("socket", "")])
    program = Program(0, (("app", limit),), (), (), (page, socket), sent)
    assert failures(program, WAYS[:2], document=False) == []


def test_a_run_ends_when_it_likes():
    route = Route("states", "of feature", "GET", "/states", "return type(request.head).__name__", shows=False)
    program = Program(0, (), (), (), (route,), (Sent(Caller(()), "GET", "/states", "states"),))
    assert failures(program, WAYS[:2], document=False) == []


def test_an_effect_between_two_requests_counts():
    body = "asyncio.get_running_loop().call_later(0.003, EFFECTS.append, 'late')\nreturn str(len(EFFECTS))"
    route = Route("page", "page", "GET", "/page", body, shows=False, is_async=True)
    wanted = Sent(Caller(()), "GET", "/page", "page", like="until 1")
    seen = run(Program(0, (), (), (), (route,), (wanted, wanted._replace(like=""))), WAYS[0]).seen
    assert [effect for each in seen for effect in each.effects][:1] == ["late"]


@rows("body, is_failure", [("'the same'", True), ("token_hex(16)", False)])
def test_what_is_random_decides_whether_compression_saves_something(body, is_failure):
    hook = f"""\
from secrets import token_hex


@app.after_request
def planted(request, response):
    if request.method == "GET":
        coded = {{"content-encoding": "identity"}} if type(request.head).__name__ == "WSGIHead" else {{}}
        return Response({body}, 200, coded)"""
    found = [each for seed in range(2) for each in failures(_with_hook(seed, hook), WAYS[:2], document=False)]
    assert any("content-encoding" in each.what for each in found) == is_failure


def test_what_a_feature_does_not_declare_is_found_in_the_document():
    silent = Feature(
        "silent", '@app.before_request\ndef silent(request):\n    if request.headers.get("x-no"):\n        abort(418)'
    )
    program = program_of(1, [each for each in features() if each.name == "tenant"] + [silent])
    kinds = {each.kind for each in failures(program, document=True)}
    assert kinds == {"silent changes the parameters: adds x-no"}


def test_the_shortest_program_is_printed_as_a_script_that_shows_the_failure(capsys):
    program = _planted(13, "interfaces")
    first = next(each for each in failures(program, WAYS[:3], document=False) if "x-head" in each.what)
    printed = Pairs().report(program, first)
    assert "# It breaks 'interfaces'" in printed
    assert len(printed.split("from antiphon.testing import Client")[0].strip().splitlines()) < 50
    exec(compile(printed, "printed.py", "exec"), {"__name__": "printed"})
    assert capsys.readouterr().out.count("\n") >= 2


def test_a_program_is_shrunk_to_what_fails():
    program = program_of(0, features())
    wanted = next(each for each in program.routes if each.kind == "page")
    shortest = shrunk(program, Pairs().shorter, lambda each: wanted.name in [sent.route for sent in each.sent])
    assert len(shortest.sent) == 1
    assert [each.name for each in shortest.routes if each.kind not in ("begin", "of feature")] == [wanted.name]
    assert (shortest.around, shortest.groups) == (
        (),
        tuple(each for each in shortest.groups if each.name == wanted.target),
    )


def _public(kind: type) -> list[str]:
    return [name for name in dir(kind) if name[0] != "_"]


PUBLIC = {
    "features": antiphon.features.__all__,
    "options": RouteOptions.__annotations__,
    "app": inspect.signature(App).parameters,
    "request": _public(Request),
    "response": _public(Response),
}


@cache
def _used() -> frozenset[tuple[str, str]]:
    """Return what programs use, and what random handlers choose from, each with its place."""
    known = features()
    pages = [body for each in known for body in each.pages]
    options = [f"app.get({option.source})" for each in known for option in each.options]
    read = [*varied.READ, *varied.READ_BODY, *varied.READ_OF_RESPONSE, *varied.LOAD, *varied.RESULTS]
    written = [f"response.{name} = value" for few in varied.SET.values() for name in few.split()]
    around = [form.format(target="app", name="around", color="", waits="") for form in AROUND]
    programs = [program_of(seed, known).source for seed in range(100)]
    sources = [*programs, *around, *pages, *options, *read, *written]
    return frozenset([used for source in sources for node in ast.walk(ast.parse(source)) for used in _used_by(node)])


def _used_by(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Name(name):
            yield "features", name
        case ast.ClassDef(bases=bases):
            yield from (("features", ast.unparse(each)) for each in bases)
        case ast.Attribute(ast.Name("request" | "Request"), name):
            yield "request", name
        case ast.Attribute(ast.Name("response" | "Response"), name):
            yield "response", name
        case ast.Call(function, _, keywords):
            place = "app" if ast.unparse(function) == "App" else "options"
            yield from ((place, each.arg) for each in keywords if each.arg)


@rows("place", [*PUBLIC])
def test_each_public_name_is_used_by_programs_or_has_a_reason(place):
    names = {*PUBLIC[place]}
    listed = [name for few in tomllib.loads(UNPAIRED.read_text())[place].values() for name in few.split()]
    used = {name for where, name in _used() if where == place} & names
    assert sorted(names - used - {*listed}) == []
    assert sorted(name for name in listed if name in used or name not in names) == []


@rows("mutant", [mutant for _, mutant in mutants()], ids=[mutant.breaks for _, mutant in mutants()])
def test_each_mutant_changes_the_code_of_today(mutant):
    assert mutant.applied()


GUESSED = """\
@app.post("/guessed")
def guessed(request):
    if request.form["password"] != "open":
        abort(403)
    return "in"
"""


@pytest.mark.parametrize("seed", [1, 26, 41])
def test_commands_tell_of_what_is_wrong_and_new_and_of_nothing_else(seed):
    program = program_of(seed, features())
    guessed = program._replace(around=(*program.around, Around("guessed", GUESSED)))
    old, new = document_of(program).content, document_of(guessed).content
    told = [(each.verdict, each.operation) for each in Comparison(old, new, today()).changes()]
    assert told == [("safe", "POST /guessed")]
    lines, _, _ = audited(load(guessed)["app"], "/")
    is_limited = any(target == "app" and "limit" in each.name.lower() for target, each in program.features)
    found = [line.partition(":")[0] for line in lines if line.startswith(("guessing", "exposed", "unknown"))]
    assert found == ["guessing POST /guessed"] * (not is_limited)


def test_features_of_other_packages_take_part(tmp_path, monkeypatch):
    (tmp_path / "pairs_of_others.py").write_text(
        "from antiphon.testing.pairs import Feature\n\nROW = Feature('other', 'app.use(Health())')\n"
    )
    installed = tmp_path / "others-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1\n")
    (installed / "entry_points.txt").write_text("[antiphon.pairs]\nother = pairs_of_others:ROW\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert [each.source for each in features() if each.name == "other"] == ["app.use(Health())"]


ROW = Feature("hooked", "app.before_request(lambda request: None)")


@rows("wanted, name", ("RateLimit", "RateLimit"), (f"{__name__}:ROW", "hooked"))
def test_each_program_has_the_wanted_feature(wanted, name):
    pairs = Pairs(wanted)
    assert all(name in [each.name for _, each in pairs.made(seed).features] for seed in range(20))
    assert pairs.arguments == f"--with {wanted} "


def test_a_wanted_feature_that_does_not_exist_ends_the_command():
    with pytest.raises(SystemExit, match="no row is named 'no such'"):
        Pairs("no such")


def test_programs_use_only_what_is_installed(monkeypatch):
    known = features()

    def kinds():
        return {group.kind for seed in range(30) for group in program_of(seed, known).groups}

    assert {"dialect", "flask"} <= kinds()
    for package in ("blinker", "flask"):
        monkeypatch.setitem(sys.modules, package, None)
    assert {"dialect", "flask"} & kinds() == set()


def test_a_kind_of_routes_that_does_not_exist_is_an_error(monkeypatch):
    row = Feature("other", "app.use(Health())", options=(Option("meta={A: 1}", frozenset({"page", "strem"})),))
    monkeypatch.setattr(table, "entry_points", lambda group: [SimpleNamespace(load=lambda: row)])
    with pytest.raises(ValueError, match=r"kinds of the row 'other' must be page, .*, not strem"):
        features()


def test_several_features_may_set_metadata_of_one_route():
    options = [("other", Option(f"meta={{{name}: 1}}", frozenset({"page"}))) for name in "AB"]
    route = Route("page", "page", "GET", "/page", "return ''", options=tuple(options))
    assert "meta={A: 1} | {B: 1})" in Program(0, (), (), (), (route,), ()).source
