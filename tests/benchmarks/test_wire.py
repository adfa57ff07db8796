"""`python -m benchmarks.wire`: real servers under a load that looks at each answer, and the verdict on them."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest

from benchmarks.cases import CASES, WrongAnswerError
from benchmarks.load import Load, LoadError
from benchmarks.wire import as_sent
from benchmarks.wire_report import Cell, Sample, failures, page, tables
from tests.helpers.rows import rows

HELLO = CASES["hello"]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
RIGHT = HEAD + b"Content-Length: 13\r\n\r\nHello, world!"


@pytest.mark.processes
def test_serves_each_framework_and_verifies_its_answers() -> None:
    options = ("--server=granian-asgi", "--case=hello", "--case=form", "--framework=starlette")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.wire", "--quick", *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {
        "Granian, ASGI": r"hello +\| +form",
        "antiphon": r"[\d.]+ +\| +[\d.]+",
        "starlette": r"[\d.]+ \([\d.]+\) +\| +[\d.]+ \([\d.]+\)",
    }
    for name, cells in rows.items():
        assert re.search(rf"^\| {name} +\| +{cells} \|$", done.stdout, re.MULTILINE), done.stdout


def test_sends_a_case_as_a_browser_does() -> None:
    head, _, body = as_sent(CASES["form"]).partition(b"\r\n\r\n")
    assert head.startswith(b"POST /form HTTP/1.1\r\nhost: shop.example.com\r\n")
    assert b"content-length: %d" % len(body) in head
    assert body == CASES["form"].body
    assert as_sent(CASES["read"]).startswith(b"GET /read/lamps?page=3&size=20&sort=price-asc HTTP/1.1\r\n")


@pytest.fixture
def port(answers: list[bytes]) -> Iterator[int]:
    """A server that gives these answers in turn on one connection, and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                for answer in answers:
                    connection.recv(1 << 16)
                    connection.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize("answers", [[RIGHT] * 3])
def test_a_load_sends_the_requests_and_waits_for_all_answers(port: int) -> None:
    with closing(Load(port, as_sent(HELLO), 1)) as load:
        load.verify(HELLO.check)
        load.send(2)


@pytest.mark.parametrize("answers", [[RIGHT, RIGHT.replace(b"world", b"there")]])
def test_bodies_may_vary_where_a_case_says_so(port: int) -> None:
    with closing(Load(port, as_sent(HELLO), 1)) as load:
        load.verify(HELLO.check, varies=True)
        load.send(1)


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([RIGHT.replace(b"200", b"500")], WrongAnswerError),
        ([RIGHT.replace(b"world", b"there")], WrongAnswerError),
        ([RIGHT[:-1]], LoadError),
        ([HEAD + b"\r\nHello, world!"], LoadError),
        ([RIGHT, RIGHT.replace(b"200", b"500")], LoadError),
        ([RIGHT, RIGHT.replace(b"world", b"there")], LoadError),
        ([RIGHT, RIGHT + b"!"], LoadError),
        ([RIGHT, RIGHT[:-1]], LoadError),
    ],
)
def test_a_load_refuses_a_wrong_answer(port: int, error: type[Exception]) -> None:
    def send() -> None:
        with closing(Load(port, as_sent(HELLO), 1)) as load:
            load.verify(HELLO.check)
            load.send(1)

    with pytest.raises(error):
        send()


def cell(case: str, way: str = "Granian, ASGI", **times: list[float]) -> Cell:
    return Cell(way, case, {name: [Sample(time, 100) for time in each] for name, each in times.items()})


@rows(
    "measured, told",
    (cell("hello", antiphon=[20, 20], bare=[17, 17], falcon=[21, 21]), []),
    (
        cell("hello", antiphon=[20, 20], bare=[16, 16]),
        ["TOO SLOW: Granian, ASGI: hello has 80.0% of a bare application's throughput, not 85%"],
    ),
    (cell("json", antiphon=[20, 20], bare=[1, 1]), []),
    (cell("hello", "Granian, `def` over ASGI", antiphon=[20, 20], bare=[1, 1]), []),
    (
        cell("form", antiphon=[20, 20], falcon=[19, 19], flask=[40, 40]),
        ["NOT AHEAD: Granian, ASGI: form: falcon takes 0.95 of Antiphon's time"],
    ),
    # a round that was slow for all says nothing
    (cell("form", antiphon=[20, 90, 20], falcon=[22, 99, 22]), []),
)
def test_the_verdict(measured: Cell, told: list[str]) -> None:
    assert list(failures([measured])) == told


def test_a_table_has_the_time_and_its_ratio_to_ours() -> None:
    cells = [
        cell("hello", antiphon=[20, 20], bare=[18, 18], flask=[50, 50]),
        cell("404", antiphon=[30, 30], flask=[60, 60]),
    ]
    assert tables(cells).splitlines() == [
        "| Granian, ASGI |             hello |         404 |",
        "| ------------- | ----------------: | ----------: |",
        "| antiphon      | 20.0, 90% of bare |        30.0 |",
        "| bare          |       18.0 (0.90) |             |",
        "| flask         |       50.0 (2.50) | 60.0 (2.00) |",
    ]


def test_the_page_says_what_was_measured_with_and_how_busy_the_servers_were() -> None:
    cells = [
        cell(case, way, antiphon=[20, 20]) for way in ("Granian, ASGI", "Uvicorn, ASGI") for case in ("hello", "404")
    ]
    parts = page("CPython\ngranian 2", cells).split("\n\n")
    assert parts[0] == "CPython; granian 2; the servers ran 20% of the time."
    assert [part[:15] for part in parts[1:]] == ["| Granian, ASGI", "| Uvicorn, ASGI"]
