"""Every interface and both styles, for the tests of applications."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from antiphon.concurrency.workers import Workers
from tests.helpers.handlers import in_style


@pytest.fixture
def serving(interface, open_client):
    """Makes a client that plays this interface towards an application."""
    return lambda app, **options: open_client(app, interface, **{"follow_redirects": False, "timeout": 10.0} | options)


class DefStyle:
    """Paints functions and generators as ``def`` or ``async def``."""

    def __init__(self, name):
        self.name = name
        self.is_async = name == "async def"

    def __call__(self, function):
        return in_style(self.name, function)

    def around(self, before=lambda request: None, after=lambda request, response: None):
        """Middleware: what ``before`` returns is an early answer, what ``after`` returns replaces the response."""

        def blocks(request):
            early = before(request)
            if early is not None:
                return early
            response = yield
            return after(request, response)

        async def waits(request):
            await asyncio.sleep(0)
            response = yield before(request)
            await asyncio.sleep(0)
            instead = after(request, response)
            if instead is not None:
                yield instead

        return waits if self.is_async else blocks


STYLES = [DefStyle("def"), DefStyle("async def")]


@pytest.fixture(params=STYLES, ids=lambda style: style.name)
def style(request):
    return request.param


@pytest.fixture(params=STYLES, ids=lambda style: f"with {style.name}")
def other(request):
    return request.param


@pytest.fixture
def submitted(monkeypatch):
    """What was given to thread pools, of whomever."""
    submitted = []
    for pool, name in ((Workers, "run"), (ThreadPoolExecutor, "submit")):
        submit = getattr(pool, name)

        def counted(pool, call, /, *arguments, _submit=submit, **options):
            submitted.append(call)
            return _submit(pool, call, *arguments, **options)

        monkeypatch.setattr(pool, name, counted)
    return submitted
