"""What earlier versions stored is found by this one, in each store."""

import json
import re
import shutil
from contextlib import closing

import pytest
import time_machine

from antiphon import Request
from antiphon.app.store import KINDS
from antiphon.features.durable.stored import request_of, stored_of
from antiphon.features.stores.cookie import _times
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


def test_what_a_newer_version_adds_is_passed_over():
    assert request_of(stored_of(Request.blank("/orders?a=1")) | {"more": 1}).url.target == "/orders?a=1"
    assert _times([1, 2, 3, 4]) == (1, 2, 3)


def test_has_this_version():
    assert PROJECT["version"] in VERSIONS


NO_KINDS = {"api keys", "refresh tokens", "idempotent by another", "shown", "cache forgotten", "cache route"}
"""How owners of entries, parts of hashes, and two keys of the cache begin."""


def test_kinds_of_keys_are_declared():
    sources = "".join(path.read_text() for path in (ROOT / "src/antiphon/features").rglob("*.py"))
    found = re.findall(r'store_name\("([^"]+)",', sources) + re.findall(r'f"([a-z ]+)\\n\{', sources)
    assert {*found} - {*KINDS} == NO_KINDS
    page = (ROOT / "docs/explanation/versions.md").read_text()
    assert [kind for kind in KINDS if f"`{kind}`" not in page] == []
