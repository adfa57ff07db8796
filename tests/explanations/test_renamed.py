"""Names that a version had: each works, and its warning shows what to write instead."""

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main
from antiphon.explanations import renamed
from antiphon.features import Cache, MemoryStore

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
