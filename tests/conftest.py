"""Settings for all tests."""

import ctypes
import gc
import os
import sys
import typing
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from contextvars import copy_context
from pathlib import Path
from secrets import randbelow

import pytest
from hypothesis import core, settings

from tests.helpers import combinations, costs, skips, system_programs
from tests.helpers.processes import UnmarkedProcesses

# Where a change is judged, examples are the same each time: what fails there was broken by the change.
EXAMPLES = int(os.environ.get("EXAMPLES", "25" if os.environ.get("CI") else "10"))
settings.register_profile("shared machine", deadline=None, max_examples=EXAMPLES)
settings.register_profile("the same each time", deadline=None, max_examples=EXAMPLES, derandomize=True, database=None)
settings.load_profile("the same each time" if os.environ.get("CI") else "shared machine")

if not os.environ.get("CI"):
    # One number for all properties and all workers, which a failure prints.
    os.environ.setdefault("HYPOTHESIS_SEED", str(randbelow(1 << 32)))

ONCE = tuple(Path(__file__).with_name("once.txt").read_text().split())
"""Folders whose tests are marked ``once``, all of them; scripts/test-older-pythons reads them too."""

# After gc.freeze below, few objects are old, so full collections would be frequent: a third of some folders' time.
gc.set_threshold(20_000)

TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None

# Dash's plugin is not for this pytest, nor for those that tests start, which take a third less time without the others.
os.environ["PYTEST_ADDOPTS"] = "-p no:dash -p no:faker -p no:anyio"


@pytest.fixture(scope="module", autouse=True)
def _only_new_objects_are_garbage() -> None:
    """Have the garbage collector pass over what was there before a module: many tests call it.

    What threads have freed is given back to the system, which they would not do by themselves. The caches of typing
    are emptied before: their generic types hold classes of tests, whose modules hold apps, which would be kept.
    """
    for empty in typing._cleanups:  # type: ignore[attr-defined]  # as CPython's own tests do
        empty()
    gc.collect()
    gc.freeze()
    if TRIM:
        TRIM(0)


@pytest.fixture(autouse=True)
def _no_outage_is_known() -> None:
    """Have each test log its own outages: the process remembers them for a minute."""
    if failures := sys.modules.get("antiphon.handler.failures"):
        failures._outages.clear()


@pytest.fixture
def debug_mode() -> Generator[None]:
    """Debug mode, as on a server that other machines reach under any name."""
    from antiphon.cli.debug.mode import switch_on
    from antiphon.handler.errors import set_debug_page

    switch_on(is_for_loopback=False)
    yield
    set_debug_page(None)


@pytest.fixture
def app() -> typing.Any:
    """An application without routes."""
    from antiphon import App

    return App()


@pytest.fixture
def seen() -> list[typing.Any]:
    """Notes of what happened, in order."""
    return []


@pytest.fixture
def open_client() -> Generator[Callable[..., typing.Any]]:
    """Makes clients, which are closed after the test."""
    from antiphon.testing import Client

    with ExitStack() as ends:
        yield lambda *arguments, **options: ends.enter_context(closing(Client(*arguments, **options)))


@pytest.fixture(params=["wsgi", "asgi", "rsgi"])
def interface(request: pytest.FixtureRequest) -> str:
    """The name of an interface. Tests that name others, or a scope, have a fixture of their own."""
    return str(request.param)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of these tests."""
    combinations.add_option(parser)
    parser.addoption(costs.OPTION, help="the part of the tests that tests/costs.txt calls expensive: 0, or 2/3")


def pytest_configure(config: pytest.Config) -> None:
    """Skip tests of missing packages, keep those without the mark from starting processes, choose combinations."""
    if not os.environ.get("CI") and config.getoption("hypothesis_seed", None) is None:
        core.global_force_seed = int(os.environ["HYPOTHESIS_SEED"])
    config.pluginmanager.register(skips.MissingPackages())
    config.pluginmanager.register(UnmarkedProcesses())
    config.pluginmanager.register(combinations.Combinations(config))
    if part := config.getoption(costs.OPTION):
        config.pluginmanager.register(costs.WithoutExpensive(part))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the folders of once.txt, and have no test see what another leaves in context variables."""
    if item.nodeid.startswith(ONCE):
        item.add_marker(pytest.mark.once)
    run = item.runtest
    item.runtest = lambda: copy_context().run(run)  # type: ignore[method-assign]  # no hook runs in another context


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where programs are hidden, keep the tests that ask for one."""
    system_programs.keep_asking(items)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without the garbage collector, which would look at all of them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Judge what was skipped, and keep what is known of the lines that ran: a worker that exits slowly is killed."""
    skips.fail_for_unlisted(session)
    if (coverage := sys.modules.get("coverage")) and (measuring := coverage.Coverage.current()):
        measuring.save()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what was skipped, and the number that brings failed properties back."""
    for line in skips.told(skips.unlisted(terminalreporter)):
        terminalreporter.line(line)
    if core.global_force_seed is not None and terminalreporter.stats.get("failed"):
        terminalreporter.write_line(f"Properties fail again with --hypothesis-seed={core.global_force_seed}")
