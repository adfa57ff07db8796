"""Forms with CSRF tokens, over each way of reading the body."""

from dataclasses import dataclass

import pytest

from antiphon import App, Limits, Request, Upload
from antiphon.features import CSRFTokens, Form, MemoryStore, Sessions
from antiphon.http import ContentTooLarge
from antiphon.testing import Client
from tests.features.forms.markup import parsed, submission
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@dataclass
class Picture:
    title: str
    file: Upload


@rows("interface", ["wsgi", "asgi"])
@rows("body", ["load", "lazy"])
def test_a_form_has_its_token_and_is_shown_again_with_one_when_it_is_too_large(interface, body):
    app = App(secret_keys=["k" * 32], limits=Limits(body=100_000))
    app.use(Sessions(MemoryStore()))
    app.use(CSRFTokens())

    @app.get("/")
    @app.post("/", receive=body)
    def index(request: Request):
        form = Form(Picture, request)
        if form.validate():
            return f"{form.data.title}: {form.data.file.size}"
        return form, form.status

    @app.errorhandler(ContentTooLarge)
    def too_large(request: Request, error: ContentTooLarge):
        return index(request)

    client = Client(app, interface, base_url="https://localhost")
    assert client.post("/", form={"title": "Tea"}).status == 403
    page = client.get("/").text
    for size, status in ((200_000, 413), (0, 422), (3, 200)):
        sent = dict(submission(parsed(page))) | {"title": "Tea"}
        sent.pop("file")
        files = {"file": ("tea.png", b"x" * size) if size else ("", b"")}
        answer = client.post("/", form=sent, files=files)
        assert answer.status == status
        page = answer.text
    assert page == "Tea: 3"
