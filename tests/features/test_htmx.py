"""The header fields of htmx."""

import pytest

from antiphon import App, Request, Response
from antiphon.features import HtmxHeaders, HtmxRequest, redirect_htmx
from antiphon.http.redirect import ExternalLocation
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

NAMES = ["is_htmx", "is_boosted", "restores_history", "current_url", "prompt", "target", "trigger", "trigger_name"]


@rows(
    "headers, values",
    ({}, [False, False, False, None, None, None, None, None]),
    (
        {
            "hx-request": "true",
            "hx-boosted": "true",
            "hx-history-restore-request": "true",
            "hx-current-url": "https://example.com/a?b=1",
            "hx-prompt": "yes",
            "hx-target": "cart",
            "hx-trigger": "add",
            "hx-trigger-name": "amount",
        },
        [True, True, True, "https://example.com/a?b=1", "yes", "cart", "add", "amount"],
    ),
    ({"hx-request": "1"}, [False, False, False, None, None, None, None, None]),
)
def test_a_request_tells_what_htmx_says(headers, values):
    htmx = HtmxRequest(Request.blank(headers=headers))
    assert [getattr(htmx, name) for name in NAMES] == values


def test_the_answer_varies_by_what_was_read():
    app = App()

    @app.get("/")
    def show(request: Request):
        return HtmxRequest(request).target or "none"

    assert Client(app).get("/").headers["vary"] == "hx-target"


@rows(
    "name, value, field, text, read",
    ("trigger", "saved", "hx-trigger", "saved", {"saved": None}),
    ("trigger", ["saved", "closed"], "hx-trigger", "saved, closed", {"saved": None, "closed": None}),
    ("trigger", {"saved": {"by": "é"}}, "hx-trigger", '{"saved": {"by": "\\u00e9"}}', {"saved": {"by": "é"}}),
    ("trigger_after_swap", "a", "hx-trigger-after-swap", "a", {"a": None}),
    ("trigger_after_settle", "a", "hx-trigger-after-settle", "a", {"a": None}),
    ("push_url", "/notes/é", "hx-push-url", "/notes/%C3%A9", "/notes/%C3%A9"),
    ("push_url", False, "hx-push-url", "false", "false"),
    ("replace_url", "/", "hx-replace-url", "/", "/"),
    ("redirect", "/login", "hx-redirect", "/login", "/login"),
    ("refresh", True, "hx-refresh", "true", True),
    ("reswap", "outerHTML", "hx-reswap", "outerHTML", "outerHTML"),
    ("retarget", "#errors", "hx-retarget", "#errors", "#errors"),
    ("reselect", "#main", "hx-reselect", "#main", "#main"),
    ("location", "/notes", "hx-location", "/notes", "/notes"),
    ("location", {"path": "/", "target": "#main"}, "hx-location", '{"path": "/", "target": "#main"}', ...),
)
def test_a_field_of_an_answer_is_an_attribute(name, value, field, text, read):
    headers = HtmxHeaders(**{name: value})
    assert [*headers.items()] == [(field, text)]
    assert getattr(headers, name) == (text if read is ... else read)
    assert Response("", headers=headers).headers[field] == text
    setattr(headers, name, None)
    assert [*headers.items()] == []


@rows(
    "values, error",
        ({"retarget": "a\r\nb: c"}, ValueError), ({"push_url": True}, ValueError),
        ({"trigger": ["a,b"]}, ValueError), ({"reswap": 1}, ValueError), ({"retraget": "#a"}, TypeError),
        ({"items": "#a"}, TypeError),
)  # fmt: skip
def test_what_a_field_cannot_have_is_an_error(values, error):
    with pytest.raises(error):
        HtmxHeaders(**values)


@rows(
    "is_htmx, options, status, field, value",
    (False, {}, 303, "location", "/notes"),
    (True, {}, 204, "hx-location", "/notes"),
    (True, {"reload": True}, 204, "hx-redirect", "/notes"),
)
def test_a_client_is_sent_on_in_its_own_way(is_htmx, options, status, field, value):
    response = redirect_htmx(Request.blank(headers={"hx-request": "true"} if is_htmx else {}), "/notes", **options)
    assert (response.status, response.headers[field]) == (status, value)


def test_a_redirect_stays_on_this_site_unless_it_says_so():
    request = Request.blank(headers={"hx-request": "true"})
    with pytest.raises(ExternalLocation):
        redirect_htmx(request, "//evil.example")
    assert (
        redirect_htmx(request, "https://pay.example/", external=True).headers["hx-redirect"] == "https://pay.example/"
    )
