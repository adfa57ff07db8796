"""How few files and functions a request passes, as `python -m scripts.trace` tells it."""

import subprocess
import sys
from pathlib import Path

import pytest

from antiphon import Request
from antiphon.concurrency import timers
from antiphon.speedups import IS_COMPILED
from scripts.trace import Passed, hello, over_wsgi, traced, traces
from tests.helpers.rows import rows

MOST = {
    "hello over ASGI": (7, 8), "hello over WSGI": (7, 8), "a session read and written over ASGI": (28, 100),
    "a WebSocket's message over ASGI": (23, 69), "hello in Flask's dialect over WSGI": (28, 80),
    "a tool's call over ASGI": (53, 240), "a stream into the cache over ASGI": (43, 280),
}  # fmt: skip
"""The files and functions that a request may pass."""


@pytest.fixture(scope="module")
def ways():
    """The functions that each request passes, by its title."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Request, "__setattr__", object.__setattr__)  # as on servers, without a ``Client``
        patch.setattr(timers, "TIME_SLICE", 1200.0)  # on a busy machine, a slice is over before the message
        return dict(traces())


def test_a_request_passes_few_files_and_functions(ways):
    passed = {title: (len({each.file for each in functions}), len(functions)) for title, functions in ways.items()}
    assert passed.keys() == MOST.keys()
    twins = 0 if IS_COMPILED else 2  # the functions in Python, for those of the extension
    most = {title: (files + twins, functions + twins) for title, (files, functions) in MOST.items()}
    assert {title: counts for title, counts in passed.items() if any(map(int.__gt__, counts, most[title]))} == {}


@rows("at, title", (0, "a tool's call over ASGI"), (1, "a stream into the cache over ASGI"))
def test_the_page_has_functions_of_a_long_way_in_their_order(ways, at, title):
    page = (Path(__file__).parents[2] / "docs/maintainers/twenty-files.md").read_text().partition("## Two long ways")[2]
    block = page.split("```text\n")[at + 1].partition("```")[0]
    named = [Passed(*line.split()[:2]) for line in block.splitlines()]
    assert named == sorted(named, key=ways[title].index)


def test_a_function_is_named_once_with_its_file():
    passed = traced(over_wsgi(hello(is_async=False)))
    assert Passed("adapters/wsgi.py", "call_wsgi") in passed
    assert len(passed) == len({*passed})


def test_a_failure_is_not_traced():
    app = hello(is_async=False)
    app.before_request(lambda request: ("no", 400))
    with pytest.raises(RuntimeError, match="a request was answered by 400"):
        traced(over_wsgi(app))


@pytest.mark.processes
def test_the_command_prints_files_with_their_functions():
    command = [sys.executable, "-m", "scripts.trace", "--functions"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert "request/request.py Request.__init__" in done.stdout
