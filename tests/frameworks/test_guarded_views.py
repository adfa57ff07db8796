"""Limits of rates and writes that are carried out once, for a view of any framework: as for a route of an App."""

import asyncio
import itertools

import pytest

from antiphon import App, Response, view
from antiphon.features import IdempotentWrites, MemoryStore, RateLimit, SQLiteStore
from tests.frameworks import apps
from tests.frameworks.exchanges import JSON, ask, asking_views

pytestmark = pytest.mark.usefixtures("quiet")

EVERYWHERE = pytest.mark.parametrize("make", [*apps.WSGI, *apps.ASGI, *apps.SERVED])
KEY = {"idempotency-key": '"1"', **JSON}
SCRIPT = [
    *[("GET", "/limited", {}, b"")] * 3,
    *[("POST", "/alimited", JSON, b'"%d"' % number) for number in range(3)],
    ("POST", "/limited_largely", {"content-type": "text/plain"}, b"x" * 100_000),
    ("POST", "/limited_largely", {"content-type": "text/plain"}, b"x" * 100_000),
    *[("POST", "/pay", KEY, body) for body in (b"1", b"1", b"2")],
    *[("POST", "/apay", KEY | {"idempotency-key": '"2"'}, body) for body in (b"1", b"1", b"2")],
    ("POST", "/pay", JSON, b"1"),
    ("POST", "/pay", KEY | {"authorization": "Bearer other"}, b"1"),
    ("POST", "/pay", {"idempotency-key": "no text in quotes"}, b"1"),
    *[("POST", "/fail", KEY | {"idempotency-key": '"3"'}, b"1")] * 2,
    ("POST", "/pay", {"idempotency-key": '"large"', "content-type": "text/plain"}, b"x" * 100_000),
    ("POST", "/pay", {"idempotency-key": '"large"', "content-type": "text/plain"}, b"x" * 100_000),
]
"""The requests, of which each has one answer in all applications."""


class Shop:
    """The functions of one application, its limits and its store."""

    def __init__(self, store=None):
        self.paid = []
        self.writes = IdempotentWrites(store or MemoryStore())
        self.limits = [
            RateLimit("2/hour", MemoryStore(clock=lambda: 1000.0), name=name) for name in ("limited", "alimited")
        ]
        self.large = RateLimit("1/hour", MemoryStore(clock=lambda: 1000.0), name="large")

    def functions(self):
        def limited(request):
            return "There is more."

        async def alimited(request):
            await asyncio.sleep(0)
            return request.json

        def limited_largely(request):
            return str(len(request.body))

        def pay(request):
            self.paid.append(request.body)
            response = Response.json({"number": len(self.paid), "bytes": len(request.body)}, 201)
            response.set_cookie("visitor", "first")
            return response

        async def apay(request):
            await asyncio.sleep(0)
            return pay(request)

        def fail(request):
            self.paid.append(request.body)
            raise LookupError(len(self.paid))

        before = {"limited": self.limits[0], "alimited": self.limits[1], "limited_largely": [self.large]}
        return {each.__name__: (each, before.get(each.__name__, ())) for each in (
            limited, alimited, limited_largely, pay, apay, fail,
        )}  # fmt: skip

    def views(self, interface=None):
        return {
            name: view(interface=interface, before=before, idempotent=None if before else self.writes)(function)
            for name, (function, before) in self.functions().items()
        }

    def app(self):
        app = App(cross_site_writes=True)
        app.use(self.writes)
        for name, (function, before) in self.functions().items():
            app.route(f"/{name}", ["GET", "POST"] if before else ["POST"], before=before, idempotent=not before)(
                function
            )
        return app


@EVERYWHERE
def test_answers_are_those_of_an_app(make):
    shop, own = Shop(), Shop()
    app = own.app()

    def as_served(environ, start_response):
        return app(environ, start_response)

    expected = [ask(as_served, "wsgi", *sent) for sent in SCRIPT]
    assert [answer[0] for answer in expected] == [
        200, 200, 429, 200, 200, 429, 200, 429, 201, 201, 422, 201, 201, 422, 400, 422, 400, 500, 500, 201, 201,
    ]  # fmt: skip
    with asking_views(make, shop.views) as ask_view:
        answers = [ask_view(*sent) for sent in SCRIPT]
    assert answers == expected
    assert shop.paid == own.paid


@pytest.mark.parametrize("make", [apps.flask, apps.starlette, apps.aiohttp])
def test_other_cookies_are_somebody_else_and_safe_methods_need_no_key(make):
    shop = Shop()
    with asking_views(make, shop.views) as ask_view:
        statuses = [
            ask_view("POST", "/pay", KEY | {"cookie": f"session={who}"}, b"1")[0] for who in ("ada", "ada", "bob")
        ]
        assert (statuses, len(shop.paid)) == ([201, 201, 422], 1)
        assert [ask_view("GET", "/pay", {}, b"")[0] for _ in range(2)] == [201, 201]
        assert len(shop.paid) == 3


def test_two_frameworks_share_a_store(tmp_path):
    shops = [Shop(SQLiteStore(tmp_path / "writes.db")) for _ in range(2)]
    answers = []
    for make, shop in zip((apps.flask, apps.aiohttp), shops, strict=True):
        with asking_views(make, shop.views) as ask_view:
            answers += [
                ask_view("POST", path, KEY | {"idempotency-key": f'"{path}"'}, b"1") for path in ("/pay", "/apay")
            ]
    assert [(status, body) for status, _, body in answers[:2]] == [(status, body) for status, _, body in answers[2:]]
    assert (len(shops[0].paid), shops[1].paid) == (2, [])


def generated(request):
    yield b"more"


@pytest.mark.parametrize(("options", "error"), [
    ({"before": [lambda: None]}, TypeError), ({"before": generated}, TypeError),
])  # fmt: skip
def test_hooks_are_functions_of_a_request(options, error):
    with pytest.raises(error, match=r"test_guarded_views\.py"):
        view(**options)(lambda request: "")


def test_a_stream_is_not_carried_out_once():
    with pytest.raises(ValueError, match=r"generated .* returns a stream"):
        view(idempotent=IdempotentWrites(MemoryStore()))(generated)


SIGNS = {
    "authorization": ({"authorization": "Bearer a"}, {"authorization": "Bearer b"}),
    "a key": ({"x-api-key": "a"}, {"x-api-key": "b"}),
    "a session": ({"cookie": "sessionid=a"}, {"cookie": "sessionid=b"}),
    "a session behind a shared login": (
        {"cookie": "sessionid=a", "authorization": "Basic c3RhZ2luZw=="},
        {"cookie": "sessionid=b", "authorization": "Basic c3RhZ2luZw=="},
    ),
}
SAME = {"x-csrf-token": "another mask", "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}


@pytest.mark.parametrize("make", [make for make in (*apps.WSGI, *apps.ASGI) if make is not apps.sanic])
def test_a_write_is_not_told_to_a_caller_who_differs_in_one_sign(make):
    number, writes = itertools.count(1), IdempotentWrites(MemoryStore())

    def pay(request):
        return str(next(number))

    def views(interface=None):
        return {"pay": view(methods=("POST",), idempotent=writes, interface=interface)(pay)}

    with asking_views(make, views) as ask_view:
        for key, (own, other) in SIGNS.items():
            given = {"idempotency-key": f'"{key}"', "content-type": "text/plain"}
            told = [ask_view("POST", "/pay", given | each, b"x") for each in (own, other, own | SAME)]
            assert [status for status, *_ in told] == [200, 422, 200], key
            assert told[0][2] == told[2][2], key
