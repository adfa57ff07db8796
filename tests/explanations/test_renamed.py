"""Names from before version 1.0: using one raises an error that shows what to write instead."""

import importlib

import pytest
from click.testing import CliRunner

from antiphon import App, Dependency, Request, Response
from antiphon.cli.main import main
from antiphon.explanations import renamed
from antiphon.explanations.naming import OtherWord
from antiphon.features import (
    Cache,
    Channel,
    Compression,
    IdempotentWrites,
    MemoryStore,
    Metrics,
    RateLimit,
    Recorder,
    RefreshTokens,
    Runs,
    Sessions,
    Signatures,
    StandardWebhook,
    Tools,
)
from tests.helpers.rows import rows


def others_of(cls):
    """Return the names that a class has not, and what to use instead."""
    return {name: each.ours for name, each in vars(cls).items() if isinstance(each, OtherWord)}


OWNERS = {
    "App": (App(), renamed.ROUTES),
    "Cache": (Cache(), others_of(Cache)),
    "Channel": (Channel("news", MemoryStore()), others_of(Channel)),
    "Request": (Request.blank("/"), renamed.REQUEST),
    "Response": (Response(), renamed.RESPONSE),
    "Runs": (Runs[int](store=MemoryStore()), others_of(Runs)),
}
MAKERS = {
    "Cache.__init__": Cache,
    "Channel.__init__": lambda **given: Channel("news", MemoryStore(), **given),
    "Compression.__init__": Compression,
    "Dependency.__init__": lambda **given: Dependency("book", **given),
    "IdempotentWrites.__init__": IdempotentWrites,
    "Metrics.__init__": Metrics,
    "RateLimit.__init__": lambda **given: RateLimit("1/hour", **given),
    "Recorder.__init__": Recorder,
    "RefreshTokens.__init__": RefreshTokens,
    "Runs.__init__": Runs,
    "Sessions.__init__": Sessions,
    "Signatures.__init__": lambda **given: Signatures({}, **given),
    "Tools.__init__": lambda **given: Tools("/tools", **given),
    "Webhook.__init__": lambda **given: StandardWebhook("whsec_" + "a" * 32, **given),
}


@rows("kind, name, ours", [(kind, *row) for kind, (_, names) in OWNERS.items() for row in names.items()])
def test_an_attribute(kind, name, ours):
    owner, _ = OWNERS[kind]
    with pytest.raises(AttributeError) as error:
        getattr(owner, name)
    assert str(error.value) == f"{kind} has no {name!r}; use {ours}"


@rows("function, name, ours", [(each, *row) for each, names in renamed.ARGUMENTS.items() for row in names.items()])
def test_an_argument(function, name, ours):
    with pytest.raises(TypeError) as error:
        MAKERS[function](**{name: 1})
    assert f"Instead of {name!r}, use {ours}" in error.value.__notes__


@rows("place, name, ours", [
    (place, name, ours)
    for place, rows in renamed.NAMES.items()
    for names, ours in rows.items()
    for name in names.split()
])  # fmt: skip
def test_an_import(place, name, ours):
    with pytest.raises(AttributeError) as error:
        getattr(importlib.import_module(place), name)
    assert str(error.value) == f"{place} has no {name!r}; use {ours}"
    assert hasattr(importlib.import_module(place), ours) or not ours.isidentifier()


@rows("given, setting, ours", [
    (lambda app: App(share_by=str), "share_by", "queue_by"),
    (lambda app: app.get("/", signed=True), "signed", "signed_url"),
])  # fmt: skip
def test_a_setting(given, setting, ours):
    with pytest.raises(TypeError, match=rf"{setting!r}.*{ours}"):
        given(App())


@rows("arguments, ours", [
    (["run", "--patience", "1", "shop:app"], "--queue-timeout"),
    (["new", "shop", "--flavour", "api"], "--template"),
    (["beside"], "compare"),
    (["kept"], "records"),
])  # fmt: skip
def test_an_option_and_a_command(arguments, ours):
    told = CliRunner().invoke(main, arguments)
    assert told.exit_code == 2
    assert f"Did you mean {ours}" in told.output.replace("'", "")


UNTIL = "0.3, in June 2027"


@pytest.fixture
def had(monkeypatch):
    """Names that a version had: of a place, an object, a constructor, a method, and the command."""
    monkeypatch.setattr(
        renamed,
        "DEPRECATED",
        {
            "antiphon.features": {"Shelf": ("Cache", UNTIL)},
            "antiphon.features.Shelf": {"forget": ("purge", UNTIL)},
            "antiphon.features.Shelf()": {"most": ("max_bytes", UNTIL)},
            "antiphon.features.Shelf.purge()": {"address": ("path", UNTIL)},
            "antiphon": {
                "--flavour": ("--template", UNTIL),
                "kept": ("records", UNTIL),
                "--patience": ("--queue-timeout", UNTIL),
            },
        },
    )


def test_a_name_that_a_version_had_works_and_says_the_new_one(had):
    shelf = renamed.with_old_names("antiphon.features.Shelf", type("Shelf", (Cache,), {"__init__": Cache.__init__}))
    with pytest.warns(DeprecationWarning, match=f"'most' of .* is now 'max_bytes'; .* until version {UNTIL}") as told:
        cache = shelf(MemoryStore(), most=1 << 20)
    with pytest.warns(DeprecationWarning, match="'forget' of antiphon.features.Shelf is now 'purge'"):
        assert cache.forget == cache.purge
    with pytest.warns(DeprecationWarning, match="'address' of .*purge.. is now 'path'"):
        cache.purge(address="/")
    with pytest.warns(DeprecationWarning, match="'Shelf' of antiphon.features is now 'Cache'") as imported:
        from antiphon.features import Shelf
    assert Shelf is Cache
    assert {each.filename for each in (*told, *imported)} == {__file__}


def test_a_command_and_an_option_that_a_version_had_work(had, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(main, ["new", "renamed_shop", "--flavour=api"])
    assert told.exit_code == 0, told.output
    assert "Warning: '--flavour' of antiphon is now '--template'" in told.output
    assert "is now 'records'" in CliRunner().invoke(main, ["kept", "--help"]).output
    monkeypatch.setenv("ANTIPHON_PATIENCE", "soon")
    told = CliRunner().invoke(main, ["run", "shop:app"]).output
    assert "Warning: '--patience' of antiphon is now '--queue-timeout'" in told
    assert "Invalid value for '--queue-timeout'" in told


def test_a_variable(monkeypatch):
    monkeypatch.setenv("ANTIPHON_PATIENCE", "1")
    told = CliRunner().invoke(main, ["run", "shop:app"])
    assert "ANTIPHON_PATIENCE has a new name: set ANTIPHON_QUEUE_TIMEOUT instead." in told.output
    assert told.exit_code == 2
