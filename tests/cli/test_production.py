"""What `antiphon run --production` refuses and `antiphon doctor MODULE:APP` prints, and what several workers need."""

import re
from pathlib import Path
from secrets import token_hex, token_urlsafe

import pytest
from click.testing import CliRunner
from flask import Flask

from antiphon import App, Limits
from antiphon.cli.errors import BadCommand
from antiphon.cli.main import main
from antiphon.cli.production import connections_of, faults_of, is_example, separate_memories
from antiphon.cli.workers.options import Guards, ServerOptions
from antiphon.dialects.flask import Flask as DialectFlask
from antiphon.features import (
    Cache,
    Channel,
    CookieStore,
    Durable,
    IdempotentWrites,
    Live,
    MemoryStore,
    PostgresStore,
    RateLimit,
    Recorder,
    Runs,
    Sessions,
    SQLiteStore,
)  # fmt: skip
from tests.helpers.rows import rows

pytestmark = pytest.mark.once
ROOT = Path(__file__).parents[2]


def asgi(scope, receive, send): ...


def handler(request): ...


def app_with(*features, **settings):
    app = App(secret_keys=["k" * 32], **settings)
    for feature in features:
        app.use(feature)
    app.get("/", before=RateLimit("1/day", SQLiteStore("unused.db")))(handler)
    app._freeze()
    return app


@rows(
    "app, features, line",
    (lambda: app_with(Sessions(MemoryStore())), "what Sessions keeps there", "Sessions(store="),
    (
        lambda: app_with(Sessions(), RateLimit("1/second"), store=MemoryStore()),
        "what RateLimit and Sessions",
        "App(store=",
    ),
    (lambda: app_with(store=MemoryStore()), "its entries", "App(store="),
    (
        lambda: app_with(Channel("a", MemoryStore()), Channel("b", SQLiteStore("b.db"))),
        "what Channel",
        "Channel(store=",
    ),
    (lambda: app_with(IdempotentWrites(MemoryStore(), by=bool)), "what IdempotentWrites", "IdempotentWrites(store="),
    (lambda: app_with(Recorder(MemoryStore())), "what Recorder", "Recorder(store="),
    (lambda: app_with(Runs(MemoryStore())), "what Runs", "Runs(store="),
    (lambda: app_with(RateLimit("1/second", MemoryStore())), "what RateLimit", "RateLimit(store="),
    (lambda: mounted(app_with(Sessions(MemoryStore()))), "what Sessions", "Sessions(store="),
)
def test_a_store_in_memory_is_not_for_several_workers(app, features, line):
    with pytest.raises(BadCommand, match="shop:app can't be served by 2 workers, because its MemoryStore") as refused:
        separate_memories(app(), "shop:app", 2)
    assert f"{features}" in refused.value.message
    assert f'Write {line}SQLiteStore("var/store.sqlite"))' in refused.value.message


def mounted(inner):
    app = App()
    app.mount("/inner", inner)
    app._freeze()
    return app


@rows(
    "app, warned",
    (lambda: app_with(Sessions(), store=SQLiteStore("unused.db")), []),
    (lambda: app_with(Sessions(CookieStore(["k" * 32])), Cache(MemoryStore())), []),  # each may have its own
    (lambda: app_with(RateLimit("1/second")), ["RateLimit has no store: "]),
    (lambda: asgi, []),
)
def test_what_several_workers_keep_apart_is_told(app, warned):
    told = separate_memories(app(), "shop:app", 2)
    assert [each.startswith(start) for each, start in zip(told, warned, strict=True)] == [True] * len(warned)


def ready(**settings):
    return App(**{"trusted_hosts": ["shop.example.com"], **settings})


GUARDED = {"guards": Guards(trusted_hosts=("shop.example.com",))}


def flask_app(flask, is_hidden):
    app = flask("shop")
    app.config["SESSION_COOKIE_HTTPONLY"] = is_hidden
    return app


def with_rate_limit():
    app = ready()
    app.get("/", before=RateLimit("1/second"))(handler)
    app._freeze()
    return app


def faults(app, **options):
    keys = app.secret_keys.oldest_first if isinstance(app, App) else ()
    return [*faults_of(app, "shop:app", ServerOptions(**options), keys)]


@rows(
    "app, options, words",
    (ready, {"debug": True}, "Debug mode"),
    (App, {}, 'App(trusted_hosts=["shop.example.com"])'),
    (lambda: ready(trusted_hosts=["*"]), {}, "any host"),
    (lambda: asgi, {}, "--trusted-hosts"),
    (lambda: ready(limits=Limits(body=1 << 62)), {}, "Limits(body=...)"),
    (lambda: ready(limits=Limits(timeout=0)), {}, "Limits(timeout=...)"),
    (lambda: ready(limits=Limits(rate=0)), {}, "Limits(rate=...)"),
    (lambda: ready(secret_keys=["only for this example"]), {}, "secret key"),
    (lambda: ready(store=MemoryStore()), {"workers": 2}, "MemoryStore"),
    (lambda: flask_app(DialectFlask, False), GUARDED, "leave out SESSION_COOKIE_HTTPONLY=False"),
    (lambda: flask_app(Flask, False), GUARDED, "leave out SESSION_COOKIE_HTTPONLY=False"),
    (with_rate_limit, {"workers": 2}, "each of the 2 workers counts separately"),
)
def test_it_is_a_fault(app, options, words):
    (fault,) = faults(app(), **options)
    assert words in fault


@rows(
    "app, options",
    (ready, {}),
    (lambda: ready(store=MemoryStore()), {"workers": 1}),
    (lambda: ready(limits=Limits(body=64 << 20, json=0, files=0)), {}),
    (lambda: ready(secret_keys=["Zb3v9QpT1xW7cK5mR0sL"]), {"workers": 2}),
    (lambda: asgi, GUARDED),
    (lambda: flask_app(DialectFlask, True), GUARDED),
    (lambda: flask_app(Flask, True), GUARDED),
)
def test_it_is_none(app, options):
    assert faults(app(), **options) == []


KEYS = re.compile(r"""(?:secret_keys=|CookieStore\()\[((?:"[^"]*"(?:, )?)+)\]|SECRET_KEYS?="([^"]+)""")


def keys_of_pages():
    for path in [*ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.py"), ROOT / "README.md"]:
        for several, one in KEYS.findall(path.read_text()):
            yield from re.findall('"([^"]*)"', several) or [one]


def test_each_key_of_the_pages_is_an_example():
    keys = {*keys_of_pages()}
    assert len(keys) > 5
    assert [key for key in keys if not is_example(key.encode())] == []


@rows("key", ["k" * 40, "django-insecure-2l&7", "change-me-please-now", "0123456789abcdef0123"])
def test_a_key_that_can_be_guessed_is_one(key):
    assert is_example(key.encode())


def test_a_random_key_is_none():
    assert not any(is_example(make(32).encode()) for make in (token_hex, token_urlsafe) for _ in range(1000))


SHOP = """
from antiphon import App
from antiphon.features import RateLimit

app = App(secret_keys=["{key}"], {hosts})
app.get("/", before=RateLimit("9/second"))(lambda request: "served")
"""
WRONG = SHOP.format(key="only for this example", hosts="")
RIGHT = SHOP.format(key="Zb3v9QpT1xW7cK5mR0sL", hosts='trusted_hosts=["localhost"]')
FAULTS = ["Links, redirects and caches take any host", "A secret key is an example"]


@pytest.mark.processes
def test_run_refuses_all_at_once_and_doctor_prints_the_same(antiphon, tmp_path, monkeypatch):
    (tmp_path / "wrong.py").write_text(WRONG)
    refused = antiphon("wrong:app", "--production", "--debug")
    assert refused.exit_code() == 2
    for each in ["wrong:app is not ready for --production", "Debug mode", *FAULTS]:
        assert each in refused.err
    at_socket = antiphon("right:app", "--production", "--uds", "s", right=RIGHT)
    assert at_socket.exit_code() == 2
    assert "counts all of them as one" in at_socket.err
    ready = antiphon("right:app", "--production", right=RIGHT).serving()
    assert "served" in ready.get()
    monkeypatch.chdir(tmp_path)
    doctor = CliRunner().invoke(main, ["doctor", "wrong:app"])
    assert doctor.exit_code == 2
    assert all(each in doctor.output for each in [*FAULTS, "RateLimit has no store"])


def test_connections_to_postgresql_are_added_up(tmp_path, monkeypatch):
    url, inner = "postgresql:///shop", App()
    store = PostgresStore(url, max_connections=5)
    inner.use(Sessions(store))
    app = app_with(Sessions(store), Durable(url, max_connections=8), Live(listen=url), store=store)
    assert "may open 14 connections to PostgreSQL (PostgresStore 5, Durable 8, Live 1)" in connections_of(app)
    for none in app_with(Live()), app_with(store=SQLiteStore(tmp_path / "store.db")):
        assert connections_of(none) == ""
    inner.mount("/inner", app)
    assert "Two workers may open 28, and 42 while they are replaced" in connections_of(inner)
    (tmp_path / "counted.py").write_text(
        RIGHT + "\nfrom antiphon.features import Live\napp.use(Live(listen='postgresql:'))"
    )
    monkeypatch.chdir(tmp_path)
    assert "may open 1 connection to PostgreSQL (Live 1)" in CliRunner().invoke(main, ["doctor", "counted:app"]).output


@pytest.mark.processes
def test_a_reload_is_not_for_production(antiphon):
    command = antiphon("apps:wsgi", "--production", "--reload")
    assert command.exit_code() == 2
    assert "--reload is for development" in command.err
