"""The file of a large body is closed when its request has ended, whatever the handler did with it."""

import sys

import pytest

from antiphon import App
from antiphon.dialects.microdot import Request
from tests.helpers.handlers import in_style
from tests.helpers.open_files import files_in, is_without_files

pytestmark = [
    pytest.mark.axes("interface"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at what the process has open"),
]

LARGE = bytes(2 << 20)


@pytest.fixture(autouse=True)
def kept(monkeypatch, tmp_path):
    """Requests that are kept, and large bodies that are loaded into files below a folder."""
    for name in ("max_content_length", "max_body_length"):
        monkeypatch.setattr(Request, name, 4 << 20)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return []


HANDLED = {
    "reads it": (lambda request: str(len(request.body)), 200),
    "leaves it": (lambda request: "left", 200),
    "refuses it": (lambda request: ("refused", 403), 403),
    "fails": (lambda request: 1 / 0, 500),
}


@pytest.mark.parametrize("style", ["def", "async def"])
@pytest.mark.parametrize(("handle", "status"), HANDLED.values(), ids=HANDLED)
@pytest.mark.parametrize("is_mounted", [False, True], ids=["alone", "mounted"])
def test_a_body_in_a_file(app, serve, kept, tmp_path, style, handle, status, is_mounted):
    opened = []

    def handler(request):
        kept.append(request)
        opened.append(files_in(tmp_path))
        return handle(request)

    app.post("/")(in_style(style, handler))
    outer = App()
    outer.mount("/inner", app)
    client = serve(outer if is_mounted else app)
    assert client.post("/inner/" if is_mounted else "/", body=LARGE).status == status
    assert [len(files) for files in opened] == [1]
    assert is_without_files(tmp_path)


def test_a_refused_body_is_drained(app):
    """A client that listens only when it has sent all gets the answer."""
    asked = []

    @app.post("/")
    async def handler(request):
        return "not you", 403

    def chunks():
        for _ in range(100):
            asked.append(1)
            yield bytes(1 << 10)

    Request.max_body_length = 10
    from antiphon.testing import Client

    with Client(app, "asgi") as client:
        response = client.post("/", body=chunks())
    assert (response.status, response.text, len(asked)) == (403, "not you", 100)
