"""Signed requests to views of any framework: let through and refused as by an App."""

import asyncio

import pytest

from antiphon import App, Request, view
from antiphon.features import MemoryStore, Signatures, sign
from antiphon.testing import Client
from tests.frameworks.exchanges import asking_views
from tests.frameworks.test_guarded_views import EVERYWHERE

pytestmark = pytest.mark.usefixtures("quiet")

SECRET = b"a secret that both sides know"
LARGE = b"x" * 300_000


class Shop:
    """Views that answer only signed requests."""

    def __init__(self):
        self.partners = Signatures({"p": SECRET}, cover=["@method", "@path", "content-digest"], store=MemoryStore())

    def views(self, interface=None):
        def order(request):
            return {
                "by": request.signature.key,
                "size": len(request.body),
                "type": request.signature.headers["content-type"],
            }

        async def aorder(request):
            await asyncio.sleep(0)
            return order(request)

        views = {each.__name__: each for each in (order, aorder)}
        return {name: view(interface=interface, signed_by=self.partners)(each) for name, each in views.items()}


def sent(path, body):
    request = Request.blank(f"http://localhost{path}", "POST", {"content-type": "text/plain"}, body)
    return dict(sign(request, SECRET, keyid="p").headers.items())


@EVERYWHERE
def test_a_view_answers_what_is_signed(make):
    with asking_views(make, Shop().views) as ask:
        for path in ("/order", "/aorder"):
            for body in (b"{}", LARGE):
                good = sent(path, body)
                answers = [
                    ask("POST", path, {"content-type": "text/plain"}, body),
                    ask("POST", path, good, body[:-1] + b"y"),
                    ask("POST", path, good, body),
                    ask("POST", path, good, body),  # again
                ]
                assert [answer[0] for answer in answers] == [401, 401, 200, 401]
                fields = dict(answers[0][1])
                assert fields["accept-signature"] == 'sig1=("@method" "@path" "content-digest");keyid;created;nonce'
                assert '"by":"p"' in answers[2][2]


def test_a_get_over_http_2_needs_no_digest_of_its_empty_body(interface):
    from flask import Flask

    shop, app = Flask("shop"), App()
    shop.add_url_rule("/", view_func=Shop().views("wsgi")["order"])
    app.mount("/shop", shop)
    request = Request.blank("http://testserver/shop/", headers={"content-type": "text/plain"})
    signed = sign(request, SECRET, keyid="p", cover=["@method", "@path", "content-type"])
    answer = Client(app, interface, http_version="2").get("/shop/", headers=signed.headers.items())
    assert (answer.status, answer.json) == (200, {"by": "p", "size": 0, "type": "text/plain"})
