"""What earlier versions stored is found by this one, in each store."""

import ast
import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
import time_machine

from antiphon.app.store import KINDS
from scripts.museum import MOMENT, MUSEUM, STORES, restore, store_at
from scripts.release import PROJECT, ROOT
from tests.features.museum.shop import Shop
from tests.helpers.stores import place_of

pytestmark = [pytest.mark.once, pytest.mark.processes]
VERSIONS = sorted(path.name for path in MUSEUM.iterdir() if path.is_dir() and path.name[0].isdigit())


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("version", VERSIONS)
def test_is_found_by_this_version_and_nothing_is_done_again(version, kind, request, tmp_path):
    stored, url = (
        MUSEUM / version / kind,
        place_of(kind, request, tmp_path) if kind != "valkey" else request.getfixturevalue("server").url,
    )
    uploads = shutil.copytree(stored / "uploads", tmp_path / version)
    restore(kind, url, stored / "dump.xz")
    with time_machine.travel(MOMENT + 5), closing(store_at(kind, url)) as store, Shop(store, uploads) as shop:
        shop.find(json.loads((stored / "kept.json").read_text()))


def test_has_this_version():
    assert PROJECT["version"] in VERSIONS


def key_kinds():
    """Yield how keys and owners begin that features make by ``store_name``."""
    for path in Path(ROOT / "src/antiphon/features").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(ast.Name("store_name"), [ast.Constant(kind), _, *_]):
                    yield kind


OWNERS = {"api keys", "refresh tokens"}
IN_DATABASE = {"idempotent by another", "shown"}
"""How the owners of entries begin, and parts of hashes, which no entry has."""


def test_kinds_of_keys_are_declared():
    assert {*key_kinds()} <= {*KINDS, *OWNERS, *IN_DATABASE}
    page = (ROOT / "docs/explanation/versions.md").read_text()
    assert [kind for kind in KINDS if f"`{kind}`" not in page] == []
