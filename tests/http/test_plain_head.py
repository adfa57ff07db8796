"""A head as plain values."""

import pickle
from copy import deepcopy

import pytest

from antiphon.adapters.asgi import ASGIHead
from antiphon.adapters.wsgi import WSGIHead
from antiphon.http.head import Address, DerivedHead, RequestHead
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

NAMES = (
    "method", "path", "query_string", "scheme", "authority", "root_path", "raw_path", "http_version", "client",
)  # fmt: skip


def of_a_wsgi_server():
    return WSGIHead({
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "/app", "PATH_INFO": "/caf\xc3\xa9", "QUERY_STRING": "a=%20",
        "REQUEST_URI": "/app/caf%C3%A9?a=%20", "SERVER_NAME": "inner", "SERVER_PORT": "80", "HTTP_HOST": "example.com",
        "SERVER_PROTOCOL": "HTTP/1.0", "wsgi.url_scheme": "https", "REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": "99",
        "HTTP_X_CONTROL": "a\x01 ", "CONTENT_TYPE": "text/plain",
    })  # fmt: skip


def of_an_asgi_server():
    headers = [(b"host", b"example.com"), (b"x-two", b"1"), (b"x-two", b"2"), (b"x-latin", b"\xe9")]
    scope = {
        "type": "http", "method": "GET", "path": "/a b", "raw_path": b"/a%20b", "query_string": b"q",
        "headers": headers, "http_version": "2", "scheme": "https", "client": ("/run/socket", None),
    }  # fmt: skip
    return ASGIHead(scope, None)


def of_no_server():
    return RequestHead("PUT", "/x", b"q=1", {"x-a": "b"}, b"content", client=Address("::1", None))


def below_a_proxy():
    head = DerivedHead(of_a_wsgi_server())
    head.path = "/rewritten"
    return head


HEADS = [of_a_wsgi_server, of_an_asgi_server, of_no_server, below_a_proxy]


def values(head):
    return {name: getattr(head, name) for name in NAMES} | {"fields": head.fields()}


@rows("make", HEADS)
def test_it_tells_what_the_other_does(make):
    head = make()
    plain = RequestHead.of(head)
    assert values(plain) == values(head)
    assert [plain.field(name) for name, _ in head.fields()] == [head.field(name) for name, _ in head.fields()]


@rows("make", HEADS)
@rows("again", [deepcopy, lambda head: pickle.loads(pickle.dumps(head))], ids=["deepcopy", "pickle"])
def test_it_can_be_copied_and_pickled(make, again):
    plain = RequestHead.of(make())
    other = again(plain)
    assert other is not plain
    assert values(other) == values(plain)


def test_it_does_not_change_with_the_other():
    head = of_a_wsgi_server()
    plain = RequestHead.of(head)
    head.environ["HTTP_X_LATE"] = "1"
    head.path = "/changed"
    assert plain.field("x-late") is None
    assert plain.path == "/café"


def test_its_body_is_not_the_other_s_to_give():
    head = of_no_server()
    assert not RequestHead.of(head).has_body
    assert head.has_body
