"""Sessions behind middleware that fails or answers, and what then reads them: nothing of them is lost or shared."""

from functools import partial

import pytest

from antiphon import App
from antiphon.features import MemoryStore, Sessions
from antiphon.http import Forbidden
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]


def _answers(request):
    yield "early"


async def _aanswers(request):
    yield "early"


def _fails(request):
    raise Forbidden("not now")
    yield


STOPPED = {"answers": _answers, "answers late": _aanswers, "fails": _fails}


@rows("reader", ["an error handler", "a hook after the request", "a hook of the request"])
@rows("around", STOPPED.values(), ids=STOPPED)
@rows("mounted", [None, "native", "wsgi", "asgi"])
def test_a_session_is_private_though_middleware_around_it_has_answered(mounted, around, reader, interface):
    app, inner = App(), App()

    def read(request, *_):
        request.session["seen"] = request.session.get("seen", 0) + 1
        return ("not now", 403) if reader == "an error handler" else None

    def around_all(request):
        if reader == "a hook of the request":
            request.on_response(read)
        yield from around(request)

    async def aaround_all(request):
        if reader == "a hook of the request":
            request.on_response(read)
        async for each in around(request):
            yield each

    app.middleware(aaround_all if around is _aanswers else around_all)
    app.use(Sessions(MemoryStore()))
    if reader == "an error handler":
        app.errorhandler(403)(read)
    if reader == "a hook after the request":
        app.after_request(read)
    inner.get("/")(lambda request: "page")
    if mounted is None:
        app.get("/")(lambda request: "page")
    else:
        options = {} if mounted == "native" else {"interface": mounted}
        app.mount("", inner if mounted == "native" else partial(inner), **options)
    response = Client(app, interface).get("/")
    if reader == "an error handler" and around is not _fails:
        assert "set-cookie" not in response.headers
        return
    assert "cookie" in response.headers["vary"]
    assert response.headers["cache-control"] in ("private", "no-store")
    assert response.headers["set-cookie"].startswith("host-session=")
