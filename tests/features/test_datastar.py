"""Events for Datastar."""

import pytest

from antiphon import App, Request, Response
from antiphon.features import patch_elements, patch_signals
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@rows(
    "event, text",
    (
        patch_elements('<p id="a">\r\n1</p>'),
        'event: datastar-patch-elements\ndata: elements <p id="a">\ndata: elements 1</p>\n\n',
    ),
    (
        patch_elements("<li>", selector="#list", mode="append", use_view_transition=True),
        (
            "event: datastar-patch-elements\ndata: selector #list\ndata: mode append\n"
            "data: useViewTransition true\ndata: elements <li>\n\n"
        ),
    ),
    (
        patch_elements(selector="#a", mode="remove"),
        "event: datastar-patch-elements\ndata: selector #a\ndata: mode remove\n\n",
    ),
    (
        patch_signals({"count": 1, "gone": None}),
        'event: datastar-patch-signals\ndata: signals {"count":1,"gone":null}\n\n',
    ),
    (
        patch_signals({"a": "x\ny"}, only_if_missing=True),
        'event: datastar-patch-signals\ndata: onlyIfMissing true\ndata: signals {"a":"x\\ny"}\n\n',
    ),
)
def test_an_event_has_the_lines_that_datastar_reads(event, text):
    assert str(event) == text


@rows("options, text", [({"mode": "outter"}, "one of outer"), ({"selector": "#a\nmode inner"}, "must be one line")])
def test_what_would_be_another_line_is_an_error(options, text):
    with pytest.raises(ValueError, match=text):
        patch_elements("", **options)


def test_a_response_streams_them():
    app = App()

    @app.get("/")
    def stream(request: Request):
        return Response.events(iter([patch_signals({"a": 1})]))

    assert Client(app).get("/").text == 'event: datastar-patch-signals\ndata: signals {"a":1}\n\n'
