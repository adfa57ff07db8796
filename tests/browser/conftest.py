"""A real browser, for tests of pages: one for all tests of a worker, in which each test has a profile of its own."""

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.chromium import Chromium
from tests.helpers.processes import RUN
from tests.helpers.system_programs import required_program

chromium = required_program("chromium")


@pytest.fixture(scope="session")
def browser_of_all(chromium, tmp_path_factory):
    """The browser of all tests."""
    with Chromium(chromium, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(browser_of_all):
    """An empty profile."""
    with browser_of_all.profile() as profile:
        yield profile


@pytest.fixture
def other_browser(browser_of_all):
    """Another empty profile."""
    with browser_of_all.profile() as profile:
        yield profile


@pytest.fixture
def page(browser):
    """An empty page in an empty profile."""
    return browser.open("about:blank")


@pytest.fixture(scope="module")
def site(request):
    """The address of the application that the module of a test names as ``APP``."""
    with ServerProcess(RUN, request.module.APP) as process:
        yield f"http://127.0.0.1:{process.port}"
