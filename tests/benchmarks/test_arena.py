"""`python -m benchmarks.arena`: our entry returns what HttpArena's profiles ask for, and wrk's figures are read."""

import gzip
import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from antiphon import App
from antiphon.testing import Client
from benchmarks import arena
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

ITEM = {"id": 1, "name": "Lamp", "price": 328, "quantity": 15, "active": True, "tags": ["fast"]}
PRINTED = """Running 5s test @ http://127.0.0.1:8080
  {errors}
  51234 requests in 5.00s, 12.00MB read
Requests/sec:  10246.80
"""


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    (tmp_path / "dataset.json").write_text(json.dumps([ITEM | {"id": number} for number in range(1, 51)]))
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "app.js").write_text("start()")
    monkeypatch.setenv("ARENA_DATA", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with entry() as app, Client(app) as client:
        yield client


@contextmanager
def entry() -> Iterator[App]:
    spec = importlib.util.spec_from_file_location("arena_entry", arena.APPS / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.app


def test_entry_adds_the_terms_of_the_query_and_the_body(client: Client) -> None:
    assert client.get("/baseline11?a=13&b=42").text == "55"
    assert client.post("/baseline11?a=13&b=42", body=b"20").text == "75"
    assert client.get("/baseline11?a=13&b=42").content_type == "text/plain; charset=utf-8"


def test_entry_multiplies_and_compresses_items(client: Client) -> None:
    response = client.get("/json/50?m=3", headers={"accept-encoding": "gzip"})
    sent = json.loads(gzip.decompress(response.body))
    assert sent["count"] == len(sent["items"]) == 50
    assert sent["items"][6] == ITEM | {"id": 7, "total": 328 * 15 * 3}
    assert response.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client.get("/json/50?m=3", headers={"accept-encoding": "identity"}).headers


def test_entry_counts_what_is_uploaded_above_the_usual_limit(client: Client) -> None:
    assert client.post("/upload", body=bytes(20 << 20)).text == str(20 << 20)


def test_entry_serves_files_and_survives_without_a_database(client: Client) -> None:
    assert client.get("/static/app.js").content_type == "text/javascript; charset=utf-8"
    assert client.get("/static/nonexistent.txt").status == 404
    assert client.get("/async-db?min=5&max=80&limit=7").json == {"items": [], "count": 0}


def test_reads_the_figures_that_wrk_prints() -> None:
    cell = arena._cell(PRINTED.format(errors=""), used=2.0)
    assert cell == arena.Cell(rate=10246.80, by_cpu=25617.0, size=12 * 1024 * 1024 / 51234)


@rows(
    "printed, complaint",
    [
        (PRINTED.format(errors="Non-2xx or 3xx responses: 61"), "Non-2xx or 3xx responses: 61"),
        ("  0 requests in 2.03s, 0.00B read\nRequests/sec:      0.00\n", "wrk printed no figures"),
        ("unable to connect", "wrk printed no figures"),
    ],
)
def test_refuses_figures_of_requests_that_failed(printed: str, complaint: str) -> None:
    with pytest.raises(RuntimeError, match=complaint):
        arena._cell(printed, used=1.0)
