"""JSON is small unless an app, a route or a request says otherwise, however it is read."""

import pytest

from antiphon import App, Limits
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "policy")

MIB = 1 << 20
READ = {"json": lambda request: request.json, "json_as": lambda request: request.json_as(str)}


def raised_by(where, policy):
    """An app that answers with the length of a string in JSON, with ``Limits(json=...)`` in a place."""
    limits = Limits(json=2 * MIB)
    app = App(limits=limits if where == "app" else None)

    @app.before_request
    def trust(request):
        if where == "request":
            request.limits = limits

    @app.post("/<way>", receive=policy, limits=limits if where == "route" else None)
    def length(request):
        return {"characters": len(READ[request.path_params["way"]](request))}

    @app.post("/text", receive=policy)
    def text(request):
        return {"characters": len(request.text)}

    return app


@pytest.mark.parametrize("policy", ["load", "lazy"])
@rows("way", READ)
@rows("where, most", [("nowhere", MIB), ("app", 2 * MIB), ("route", 2 * MIB), ("request", 2 * MIB)])
def test_a_longer_body_is_a_413_that_says_how_much_is_read(serving, policy, way, where, most):
    client = serving(raised_by(where, policy))
    answer = client.post(f"/{way}", body=b'"%b"' % (b"x" * (most - 2)), content_type="application/json")
    assert answer.json == {"characters": most - 2}
    answer = client.post(f"/{way}", body=b'"%b"' % (b"x" * (most - 1)), content_type="application/json")
    assert (answer.status, answer.json["limit"], answer.json["maximum"]) == (413, "json", most)
    assert answer.json["detail"] == f"The body is longer than the {most} bytes that are read as JSON."


def test_all_else_is_read_within_its_own_limits(serving):
    answer = serving(raised_by("nowhere", "load")).post("/text", body=b"x" * 2 * MIB, content_type="application/json")
    assert answer.json == {"characters": 2 * MIB}
