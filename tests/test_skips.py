"""Where a change is judged, a skip that is not in tests/skips.txt is a failure."""

import pytest

from tests.helpers import skips

pytest_plugins = ["pytester"]

CONFTEST = """
from tests.helpers import skips

def pytest_sessionfinish(session):
    skips.fail_for_unlisted(session)

def pytest_terminal_summary(terminalreporter):
    skips.tell_unlisted(terminalreporter)
"""
TESTS = """
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_it(number):
    pytest.skip("no such thing here")

def test_passes(): ...
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs tests where a change is judged or not, with a list of the skips that may be."""

    def run(listed, ci, *arguments):
        monkeypatch.setattr(skips, "LIST", pytester.makefile(".txt", skips=f"# Known.\n{listed}\n"))
        monkeypatch.setenv("CI", ci)
        pytester.makeconftest(CONFTEST)
        pytester.makepyfile(test_it=TESTS)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments)

    return run


IN_A_WORKER = pytest.param(["--numprocesses", "1"], marks=pytest.mark.processes, id="in a worker")


@pytest.mark.parametrize("arguments", [pytest.param([], id="here"), IN_A_WORKER])
def test_an_unlisted_skip_fails_where_a_change_is_judged(run, arguments):
    outcome = run("", "true", *arguments)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["*not in tests/skips.txt*", "test_it.py::test_it?1?: Skipped: no such thing here"])


@pytest.mark.parametrize(("listed", "ci"), [("test_it.py::test_it   There is no such thing.", "true"), ("", "")])
def test_a_skip_that_is_listed_or_on_a_machine_at_hand_is_none(run, listed, ci):
    assert run(listed, ci).ret == pytest.ExitCode.OK


def test_what_is_listed_is_there():
    root = skips.LIST.parents[1]
    for line in skips.LIST.read_text().splitlines():
        if not line.startswith("#"):
            test, why = line.split(maxsplit=1)
            path, *_, name = test.split("::")
            assert f"def {name}(" in (root / path).read_text()
            assert why
