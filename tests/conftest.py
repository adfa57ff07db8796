"""Settings for all tests."""

import gc
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests.helpers import combinations, quick, skips

# Where a change is judged, the examples are the same each time: what fails there was broken by the change.
EXAMPLES = int(os.environ.get("EXAMPLES", "75"))
settings.register_profile("shared machine", deadline=None, max_examples=EXAMPLES)
settings.register_profile("the same each time", deadline=None, max_examples=EXAMPLES, derandomize=True, database=None)
settings.load_profile("the same each time" if os.environ.get("CI") else "shared machine")

# Dash's plugin is not for this pytest, nor for those that tests start.
os.environ["PYTEST_ADDOPTS"] = "-p no:dash"


@pytest.fixture(scope="module", autouse=True)
def _only_new_objects_are_garbage() -> None:
    """Have the garbage collector pass over what was there before a module: many tests call it."""
    gc.collect()
    gc.freeze()


TESTS = Path(__file__).parent
ONCE = (
    *("body/test_form", "body/test_multipart", "body/test_whole_form", "browser/", "cli/test_run_refuses"),
    *("cli/test_run_unix_socket", "cli/test_unix_listener", "dialects/kay/", "testing/test_plugin"),
    *("app/test_static_files", "app/test_url_for", "benchmarks/", "cli/test_new_project", "response/test_files"),
    *(
        "corpora/",
        "dialects/asok/",
        "dialects/pyramid/",
        "dialects/webob/",
        "dialects/werkzeug/",
        "docs/",
        "environment/",
        "examples/",
        "contract/sockets/",
        "features/locations/",
        "frameworks/",
        "features/openapi/test_bookstore",
        "features/openapi/test_mutants",
        "features/stores/test_circuit_breaker",
        "features/stores/test_cookie",
        "features/stores/test_lost_answers",
        "features/stores/test_state_machine",
        "features/templates/",
        "features/test_block_script",
        "features/test_clocks_that_are_set",
        "features/test_csrf",
        "features/test_datastar",
        "features/test_flash",
        "features/test_htmx",
        "features/test_idempotency",
        "features/test_rate_limits",
        "features/test_served_",
        "features/test_slow_stores",
        "http/",
        "mutants/",
        "oracles/",
        "request/",
        "routing/",
        "uploads/",
    ),
    *("test_combinations", "test_english", "test_quick", "test_skips"),
)
"""Beginnings of paths: what stands on values and names that no version of Python changes, and runs on the newest."""
DIFFER = (
    *("http/test_charset", "http/test_networks", "http/urls/test_url.py", "http/urls/test_urlencoded"),
    *("request/test_body", "uploads/test_safe_filename", "uploads/test_upload.py"),
)
"""Among ``ONCE``, what stands on the extension, or on the standard library's codecs, addresses, Unicode and threads."""
PROCESSES = (
    *("browser/", "cli/test_run", "contract/", "dialects/microdot/test_serving", "dialects/test_importing"),
    *("testing/test_plugin",),
)
IN_PROCESS = ("contract/test_in_process", "contract/test_tables")
"""Among ``PROCESSES``, what starts none."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of these tests."""
    combinations.add_option(parser)
    quick.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Have ``--quick`` do with few packages."""
    quick.configure(config)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a file of which ``-m`` would deselect every test: collecting it takes longer than most files take."""
    if collection_path.suffix != ".py":
        return None
    path = collection_path.relative_to(TESTS).as_posix()
    left_out = config.option.markexpr.split(" and ")
    return ("not once" in left_out and _is_once(path)) or ("not processes" in left_out and _is_processes(path)) or None


def _is_once(path: str) -> bool:
    return path.startswith(ONCE) and not path.startswith(DIFFER)


def _is_processes(path: str) -> bool:
    return path.startswith(PROCESSES) and not path.startswith(IN_PROCESS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is tested once, and what starts processes; choose what runs."""
    for item in items:
        path = item.nodeid.removeprefix("tests/")
        if _is_once(path):
            item.add_marker(pytest.mark.once)
        if _is_processes(path):
            item.add_marker(pytest.mark.processes)
    combinations.thin(config, items)
    quick.select(config, items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Judge what was skipped, and keep what is known of the lines that ran: a worker that exits slowly is killed."""
    skips.fail_for_unlisted(session)
    if (coverage := sys.modules.get("coverage")) and (measuring := coverage.Coverage.current()):
        measuring.save()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what was skipped."""
    skips.tell_unlisted(terminalreporter)
