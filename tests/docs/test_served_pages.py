"""The first program of each how-to, pasted and served: its test lines pass on two servers, and after a restart.

Each request of the page's test lines goes to the next of two processes, which share only the folder.
"""

import gc
import re
import sys
from contextlib import ExitStack
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

import pytest

import antiphon.testing
from tests.helpers.pasted import client_of, served
from tests.helpers.snippets import snippets_of

pytestmark = [
    pytest.mark.processes,
    # The app of this process is never stopped, which would close its databases.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
UNSERVED = {
    "after-the-response.md": "looks at a list in the process",
    "api-with-etags.md": "keeps its notes in a dict",
    "behind-a-proxy.md": "tests the addresses of clients",
    "blocks.md": "keeps its notes in a list",
    "end-logins.md": "keeps its tokens in a dict",
    "debug.md": "counts memory in the process",
    "from-django.md": "keeps its orders in a dict",
    "graphql.md": "keeps its books in a dict",
    "jobs.md": "is served by test_jobs_page.py",
    "kept-requests.md": "reads what the process has recorded",
    "logs.md": "looks at the records of the process",
    "metrics.md": "counts the requests of one process",
    "more-logins.md": "keeps users in a dict",
    "mount-django.md": "is Django's, in a temporary folder",
    "rate-limits.md": "counts in memory",
    "shared-cache.md": "looks at a list in the process",
    "signed-requests.md": "remembers signatures in memory",
    "uploads.md": "saves in a temporary folder",
    "webhooks.md": "looks at a list in the process",
}
"""Pages that can't be served as they are: the list only gets shorter."""
_app = re.compile(r"^app = App\(", re.MULTILINE).search
_tested = re.compile(r"\bClient\(app\b").search
_in_process = re.compile(r"client\.(login|session|tools|websocket|stream)\b|raise_errors|contract=|queries=").search
"""What only a client in the process of the app can do."""


def program_of(page):
    """Return the first program of a page, and its tests, the same or a file of their own; None if it lacks test lines
    that a client elsewhere can send.
    """
    snippets = [code for _, code, _ in snippets_of(page.read_text())]
    program = next(filter(_app, snippets), "")
    tests = next((code for code in snippets if code.startswith("# test_")), program)
    return (program, tests) if _tested(tests) and not _in_process(tests) else None


PROGRAMS = {page.name: code for page in sorted(HOW_TO.glob("*.md")) if (code := program_of(page))}


def test_each_listed_page_has_a_program():
    assert {*UNSERVED} - {*PROGRAMS} == set()


@pytest.mark.parametrize("page", sorted({*PROGRAMS} - {*UNSERVED}))
def test_a_program_works_on_two_servers_and_after_a_restart(page, tmp_path, monkeypatch):
    program, tests = PROGRAMS[page]
    (tmp_path / "shop.py").write_text(program)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET_KEYS", "a-key-that-a-reader-makes-anew")
    for servers in (2, 1):
        with ExitStack() as stack, monkeypatch.context() as patch:
            ports = [stack.enter_context(served(tmp_path, "shop:app")).port for _ in range(servers)]
            patch.setattr(antiphon.testing, "Client", client_of(ports))
            module = ModuleType("shop")
            module.__file__ = str(tmp_path / "shop.py")
            patch.setitem(sys.modules, "shop", module)
            for code in dict.fromkeys((program, tests)):
                run_lines(code, page, vars(module))
    del module
    gc.collect()  # connections that the program left open, before the next test would be told of them


def run_lines(code, page, names):
    """Run a program. Raises AssertionError, naming the line that fails."""
    try:
        exec(compile(code, page, "exec"), names)
    except Exception as error:
        [*_, line] = (each.lineno for each in extract_tb(error.__traceback__) if each.filename == page)
        raise AssertionError(f"{page}: {code.splitlines()[line - 1].strip()}: {error!r}") from error
