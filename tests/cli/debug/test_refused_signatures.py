"""What the debug mode adds to the answer to a request that is not signed as it has to be: the reason."""

import pytest

from antiphon import App, Request
from antiphon.features import Signatures, StandardWebhook, sign
from antiphon.testing import Client

pytestmark = pytest.mark.axes("interface")

SECRET = b"a secret that both sides know"
ROUTE = "http://localhost:8000/orders"


app = App()
app.use(Signatures({"p": SECRET}))
app.post("/orders", signed_by="partners")(lambda request: "")
app.post("/hook", before=StandardWebhook(SECRET))(lambda request: "")


def test_the_reason_stands_in_the_answer(pages, interface):
    site = pages(app, interface)
    signed = sign(Request.blank(f"{ROUTE}/other", "POST"), SECRET, keyid="p")
    answer = site.problem("/orders", "POST", headers=signed.headers.items())
    reason, more = answer.json["debug"]["reason"]
    assert more == "To read more: antiphon explain signature-refused"
    assert reason.startswith("sig1: it is not the signature by 'p' of this request, whose signature base is b'")
    assert '"@path": /orders\\n' in reason
    assert site.problem("/orders", "POST").json["debug"]["reason"] == ["the request has no signature", more]
    assert "the request has no signature" in site.page("/orders", "POST").shown
    (missing, *_) = site.problem("/hook", "POST", body=b"{}").json["debug"]["reason"]
    assert missing == "the field webhook-id is missing"


def test_it_does_not_without_the_debug_mode(interface):
    with Client(app, interface, base_url="http://localhost:8000") as client:
        assert "debug" not in client.post("/orders").json
