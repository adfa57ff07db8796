"""A target that is a full URL, and the Host beside it: one rule over each interface (RFC 9112 §3.2)."""

import pytest

from antiphon import App
from antiphon.dialects.flask import Flask
from antiphon.dialects.webob.dec import wsgify
from tests.helpers.rows import rows

native = App()
native.get("/x")(lambda request: request.host)
flask = Flask(__name__)
flask.get("/x")(lambda: "seen")


def over_wsgi(servers, authority, hosts, app=native):
    return servers.wsgi(app, servers.environ(path="/x", HTTP_HOST=",".join(hosts), RAW_URI=f"http://{authority}/x"))


def over_asgi(servers, authority, hosts):
    headers = [(b"host", host.encode()) for host in hosts]
    return servers.asgi(native, servers.scope(path=f"http://{authority}/x", headers=headers))


def over_rsgi(servers, authority, hosts):
    headers = [("host", host) for host in hosts]
    return servers.rsgi(native, servers.rsgi_scope(path="/x", headers=headers, authority=authority))


TARGETS = rows(
    "authority, hosts, wanted",
    ("a.test", ["a.test"], "a.test"),
    ("a.test", ["b.test"], "a.test"),
    ("a.test", ["user@a.test"], None),
    ("a.test", ["a b"], None),
    ("a.test", ["a.test", "a.test"], None),
    ("user@a.test", ["a.test"], None),
    ("user:secret@a.test:80", ["a.test"], None),
    ("@a.test", ["a.test"], None),
    ("a.test@b.test", ["b.test"], None),
)


@pytest.mark.parametrize("over", [over_wsgi, over_asgi, over_rsgi])
@TARGETS
def test_a_target_and_the_host_beside_it_are_one_host_or_refused(servers, over, authority, hosts, wanted):
    answer = over(servers, authority, hosts)
    assert (answer.status, answer.body.decode()) == (200, wanted) if wanted else answer.status == 400


@rows("app", [flask, wsgify(lambda request: "seen")])
@TARGETS
def test_dialects_refuse_the_same(servers, app, authority, hosts, wanted):
    assert over_wsgi(servers, authority, hosts, app).status == (200 if wanted else 400)
