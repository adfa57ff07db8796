"""`python -m benchmarks.arena`: our entry returns what HttpArena's profiles ask for, and wrk's figures are read."""

import gzip
import json
from pathlib import Path
from runpy import run_path

import pytest

from antiphon.testing import Client
from benchmarks import arena
from tests.helpers.rows import rows

ITEM = {"id": 1, "name": "Lamp", "price": 328, "quantity": 15}


@pytest.mark.once
def test_entry_returns_what_the_profiles_ask_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dataset.json").write_text(json.dumps([ITEM] * 50))
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "app.js").write_text("start()")
    monkeypatch.setenv("ARENA_DATA", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with Client(run_path(str(arena.APPS / "app.py"))["app"]) as client:
        assert client.get("/baseline11?a=13&b=42").text == "55"
        assert client.post("/baseline11?a=13&b=42", body=b"20").text == "75"
        compressed = client.get("/json/50?m=3", headers={"accept-encoding": "gzip"}).body
        assert json.loads(gzip.decompress(compressed)) == {"items": [ITEM | {"total": 14760}] * 50, "count": 50}
        assert client.post("/upload", body=bytes(20 << 20)).text == str(20 << 20)
        assert client.get("/static/app.js").content_type == "text/javascript; charset=utf-8"
        assert client.get("/async-db?min=5&max=80&limit=7").json == {"items": [], "count": 0}


@rows(
    "printed, expected",
    [
        ("  51234 requests in 5.00s, 12.00MB read\n", 25617.0),
        ("  9 requests in 5.00s, 2.00KB read\n  Non-2xx or 3xx responses: 7\n", "Non-2xx or 3xx responses: 7"),
        ("  0 requests in 2.03s, 0.00B read\n", "no response"),
        ("unable to connect", "no response"),
    ],
)
def test_reads_what_wrk_prints(printed: str, expected: float | str) -> None:
    assert arena.counted(printed, used=2.0) == expected
