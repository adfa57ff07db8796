"""What earlier versions stored is found by this one, in each store."""

import json
import re
import shutil
from contextlib import closing
from importlib import import_module

import pytest
import time_machine
from msgspec.msgpack import decode, encode

from antiphon import Request
from antiphon.app.store import KINDS
from antiphon.features import MemoryStore
from antiphon.features.channels.feed import Keep
from antiphon.features.durable.stored import request_of, stored_of
from antiphon.features.recorder.shelf import _joined
from antiphon.features.runs.record import Ledger, Record
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
    restore("sqlite", str(tmp_path / "rows"), stored / "rows.xz")
    durable = url if kind == "postgres" else None
    with (
        time_machine.travel(MOMENT + 5),
        closing(store_at(kind, url)) as store,
        Shop(store, uploads, tmp_path / "rows", durable) as shop,
    ):
        shop.find(json.loads((stored / "kept.json").read_text()))


def test_what_a_newer_version_adds_is_passed_over():
    assert request_of(stored_of(Request.blank("/orders?a=1")) | {"more": 1}).url.target == "/orders?a=1"
    assert _times([1, 2, 3, 4]) == (1, 2, 3)


def test_what_a_newer_version_adds_stays():
    store = MemoryStore()
    ledger = Ledger(store, "reports", Keep(9), 60.0)
    ledger.add(Record("1", None, "running", "a worker"))
    key = ledger._key("1")
    store.change(key, {"newer": 1})
    assert ledger.release(ledger.load("1")).state == store.load(key).data["state"] == "waiting"
    assert ledger.take(ledger.live()["1"], "another", is_crash=False).others == {"newer": 1}
    assert store.load(key).data["newer"] == 1
    groups = [{"count": count, "request_ids": [count], "first": {"newer": count}} for count in (2, 1)]
    joined = _joined(*map(encode, ({**groups[0], "newer": 1}, groups[1])))
    assert decode(joined) == {"count": 3, "request_ids": [2, 1], "first": {"newer": 2}, "newer": 1}


def test_has_this_version():
    assert PROJECT["version"] in VERSIONS


def test_kinds_are_declared_as_the_page_says():
    for path in (ROOT / "src/antiphon/features").rglob("*.py"):
        if "FeatureStore.declare(" in path.read_text():
            import_module(".".join(path.relative_to(ROOT / "src").with_suffix("").parts))
    page = (ROOT / "docs/reference/stored-data.md").read_text()
    cells = [row.split(" | ") for row in page.splitlines() if row.endswith(" version |")]
    told = {kind: row for row in cells for kind in re.findall("`([a-z][a-z ]+)`", row[1]) if ": counters" not in row[1]}
    assert {*told} == {*KINDS}
    for name, kind in KINDS.items():
        seen = "refused" if told[name][3].startswith("503") else "absent", told[name][4]
        assert seen == (kind.unreadable, f"{kind.until} version |"), name
