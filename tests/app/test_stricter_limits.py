"""A body that is there already, received within other limits, is held to those of who reads it."""

import pytest

from antiphon import App, Limits
from tests.helpers.request_bodies import FORM, FORM_DATA, form_data
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

SENT = {
    "body": ("text/plain", b"x" * 1000),
    "text": ("text/plain", b"x" * 1000),
    "json": ("application/json", b"[%b1]" % (b"1," * 500)),
    "form": (FORM, b"a=" + b"x" * 1000),
    "form in parts": (FORM_DATA, form_data(("a", None, b"x" * 1000))),
    "files": (FORM_DATA, form_data(("f", "f", b"x" * 1000))),
    "stream": ("text/plain", b"x" * 1000),
    "parts": (FORM_DATA, form_data(("f", "f", b"x" * 1000))),
}
READ = {
    "body": lambda request: request.body,
    "text": lambda request: request.text,
    "json": lambda request: request.json,
    "form": lambda request: request.form,
    "form in parts": lambda request: request.form,
    "files": lambda request: request.files,
    "stream": lambda request: [*request.stream],
    "parts": lambda request: [*request.parts()],
}
TIGHT = Limits(body=100)


def mounted(handler, policy):
    outer, inner = App(), App(limits=TIGHT)
    inner.post("/", receive=policy)(handler)
    outer.mount("/m", inner)
    return outer


def received_before_routing(handler, policy):
    return received_by_middleware(handler, policy, before_routing=True)


def received_by_middleware(handler, policy, **options):
    app = App()

    @app.middleware(loads_body=True, **options)
    def read(request):
        assert request.body
        yield

    if not options:

        @app.before_request
        def tighten(request):
            request.limits = TIGHT

    app.post("/m", receive=policy, limits=TIGHT if options else None)(handler)
    return app


@rows("build", [mounted, received_before_routing, received_by_middleware])
@rows("policy", ["load", "lazy", "stream"])
@rows("way", READ)
def test_beyond_them_it_is_a_413_however_it_is_read(serving, build, policy, way):
    def handler(request):
        READ[way](request)
        return "read"

    content_type, body = SENT[way]
    client = serving(build(handler, policy))
    assert client.post("/m", body=body, content_type=content_type).status == 413
    assert client.post("/m", body=b"{}", content_type="application/json").status in (200, 415)
