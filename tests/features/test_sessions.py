"""Sessions: the visitor's data, what they leave in responses, how they end, and what happens to them at once."""

import asyncio
import re
import threading
from contextlib import closing

import pytest

from antiphon import App, Request, Response
from antiphon.embedding import RequestState
from antiphon.features import CookieStore, MemoryStore, Sessions, SQLiteStore, Store
from antiphon.handler import errors
from antiphon.http.errors import Forbidden
from antiphon.testing import Client
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "kind")

HTTPS = "https://shop.example.com"
NAME = "__Host-session"
DAY = 24 * 3600.0


def key_of(cookie):
    """Return the key in the store of the session of a cookie."""
    return f"session\n{cookie}"


class Shop:
    """An app whose handler does what a test asks for."""

    def __init__(self, store, interface, style, **options):
        self.app = App()
        self.app.use(Sessions(store, **options))
        self.clients = []
        self._interface = interface
        self._do = None

        def answer(request):
            result = self._do(request)
            return result if isinstance(result, Response) else Response.json({"result": result})

        self.app.get("/")(in_style(style, answer))

    def client(self, base_url=HTTPS):
        self.clients.append(Client(self.app, self._interface, base_url=base_url, timeout=10.0))
        return self.clients[-1]

    def visit(self, client, do, **options):
        self._do = do
        return client.get("/", **options)


@pytest.fixture
def shopping(store, interface, style, clock):
    shops = []

    def shopping(store=store, **options):
        shops.append(Shop(store, interface, style, **options))
        return shops[-1]

    yield shopping
    for shop in shops:
        for client in shop.clients:
            client.close()


@pytest.fixture
def shop(shopping):
    return shopping()


@pytest.fixture
def visitor(shop):
    return shop.client()


@pytest.fixture
def visit(shop, visitor):
    """Have the visitor's request do something with the session, and return the response."""
    return lambda do, **options: shop.visit(visitor, lambda request: do(request.session), **options)


def read(visit):
    return visit(dict).json["result"]


def wrote(**values):
    return lambda session: session.update(values)


class TestData:
    def test_are_kept_for_the_visitor_alone(self, shop, visit):
        visit(wrote(cart=["tea"], user=1))
        assert read(visit) == {"cart": ["tea"], "user": 1}
        other = shop.client()
        assert shop.visit(other, lambda request: dict(request.session)).json["result"] == {}

    def test_are_a_mapping(self, visit):
        def use(session):
            assert session.is_new
            session["a"] = 1
            session.setdefault("b", []).append(2)
            assert session.pop("a") == 1
            assert ("a" in session, "b" in session, len(session), [*session]) == (False, True, 1, ["b"])
            assert session.get("a") is None
            with pytest.raises(KeyError):
                session["a"]
            with pytest.raises(KeyError):
                del session["a"]

        assert visit(use).status == 200
        assert read(visit) == {"b": [2]}
        assert visit(lambda session: session.is_new).json["result"] is False

    def test_that_change_inside_are_kept(self, visit):
        visit(wrote(cart={"tea": [1]}, other=[1]))
        visit(lambda session: session["cart"]["tea"].append(2))
        visit(lambda session: session["other"])
        assert read(visit) == {"cart": {"tea": [1, 2]}, "other": [1]}

    def test_that_are_removed_are_gone(self, visit):
        visit(wrote(a=1, b=2))
        visit(lambda session: session.pop("a"))
        assert read(visit) == {"b": 2}

    def test_that_can_not_be_kept_are_an_error_at_that_line(self, visit):
        def use(session):
            with pytest.raises(TypeError, match="'wrong' can't be stored"):
                session["wrong"] = {1, 2}
            return dict(session)

        assert visit(use).json["result"] == {}

    @pytest.mark.parametrize("error", [Forbidden, LookupError])
    def test_are_kept_when_the_handler_fails(self, visit, error):
        def fail(session):
            session["attempts"] = 1
            raise error

        assert visit(fail).status == (403 if error is Forbidden else 500)
        assert read(visit) == {"attempts": 1}

    def test_may_be_changed_by_middleware_and_hooks(self, store, interface, style, clock):
        shop = Shop(store, interface, style)

        @shop.app.middleware
        def around(request):
            yield
            request.session["middleware"] = True

        @shop.app.before_request
        def before(request):
            request.session["before"] = True

        @shop.app.after_request
        def after(request, response):
            request.session["after"] = True

        client = shop.client()
        shop.visit(client, lambda request: None)
        found = shop.visit(client, lambda request: dict(request.session)).json["result"]
        assert found == {"before": True, "middleware": True, "after": True}
        client.close()


class TestTheResponse:
    def test_to_who_does_not_use_the_session_has_no_trace_of_it(self, shop, visitor, visit):
        for _ in range(2):
            headers = shop.visit(visitor, lambda request: None).headers
            assert not {"set-cookie", "vary", "cache-control"} & {name.lower() for name in headers}
            visit(wrote(a=1))

    @pytest.mark.parametrize(
        "use",
        [dict, len, lambda session: "a" in session, lambda session: session.get("a"), lambda session: session.is_new],
    )
    def test_to_who_reads_it_is_private_and_varies(self, visit, use):
        for _ in range(2):
            headers = visit(use).headers
            assert headers["vary"] == "cookie"
            assert headers["cache-control"] == "private"
            assert "set-cookie" not in headers
            visit(wrote(a=1))

    @pytest.mark.parametrize(
        ("said", "sent"),
        [
            ("no-store", "no-store"),
            ("public, no-store", "public, no-store"),
            ("max-age=60", "max-age=60, private"),
            ("public, max-age=60", "max-age=60, private"),
            ("s-maxage=60, max-age=5", "max-age=5, private"),
            ("s-maxage=60, private", "private"),
            ("private", "private"),
            ('private="x"', "private"),
        ],
    )
    def test_is_kept_by_no_cache_that_others_use(self, shop, visitor, said, sent):
        def answer(request):
            use(request.session)
            return Response("x", headers={"cache-control": said, "vary": "accept"})

        for use in (dict, wrote(a=1)):  # noqa: B007 - the handler uses it
            headers = shop.visit(visitor, answer).headers
            assert headers["cache-control"] == sent
            assert headers["vary"] == "accept, cookie"

    @pytest.mark.parametrize(
        ("said", "sent"),
        [("max-age=60", "private"), ("no-store", "no-store"), ("private, max-age=1", "private, max-age=1")],
    )
    def test_is_kept_by_no_cdn_that_others_use(self, shop, visitor, said, sent):
        def answer(request):
            request.session.get("a")
            return Response("x", headers={"cdn-cache-control": said})

        headers = shop.visit(visitor, answer).headers
        assert (headers.get("cdn-cache-control"), headers["cache-control"]) == (sent, "private")

    @pytest.mark.parametrize("said", ["public, max-age=60", "s-maxage=60"])
    def test_that_others_caches_may_keep_is_an_error_in_debug(self, shop, said, monkeypatch, caplog):
        monkeypatch.setattr(errors, "_debug_page", lambda request, error, response: None)

        def answer(request):
            request.session.get("a")
            return Response("x", headers={"cache-control": said})

        client = shop.client()
        assert shop.visit(client, answer).status == 500
        assert re.search(rf"Error: .*test_sessions.*Cache-Control: {said}.*leave out `public`", caplog.text)
        assert shop.visit(client, lambda request: Response("x", headers={"cache-control": said})).status == 200

    def test_has_a_cookie_that_no_script_and_no_other_site_has(self, visit, clock):
        cookie = visit(wrote(a=1)).headers["set-cookie"]
        assert cookie.startswith(f"{NAME}=")
        assert cookie.partition("; ")[2] == f"Max-Age={14 * 24 * 3600}; Secure; HttpOnly; Path=/; SameSite=Lax"

    def test_a_session_can_end_with_the_browser(self, shopping, clock):
        shop = shopping(persistent=False)
        client = shop.client()
        response = shop.visit(client, lambda request: request.session.update(user=1))
        assert response.headers["set-cookie"].partition("; ")[2] == "Secure; HttpOnly; Path=/; SameSite=Lax"
        clock.now += 13 * DAY
        assert shop.visit(client, lambda request: request.session.get("user")).json == {"result": 1}
        clock.now += 15 * DAY
        assert shop.visit(client, lambda request: request.session.get("user")).json == {"result": None}

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "testserver", "shop.example.com"])
    def test_over_http_has_a_plain_one(self, shop, host, caplog):
        client = shop.client(f"http://{host}")
        response = shop.visit(client, lambda request: request.session.update(a=1))
        cookie = response.headers["set-cookie"]
        assert cookie.startswith("host-session=")
        assert "Secure" not in cookie
        assert shop.visit(client, lambda request: dict(request.session)).json["result"] == {"a": 1}
        assert ("sent over http" in caplog.text) is (host == "shop.example.com")

    def test_that_is_given_again_is_not_changed(self, shop):
        shared = Response("x")

        def answer(request):
            request.session["a"] = 1
            return shared

        assert "set-cookie" in shop.visit(shop.client(), answer).headers
        assert [*shared.headers] == ["content-type", "x-content-type-options"]


class TestTheEnd:
    def test_comes_when_nobody_has_used_it_for_the_idle_time(self, shopping, clock):
        shop = shopping(idle=100, lifetime=1000)
        client = shop.client()
        shop.visit(client, lambda request: request.session.update(a=1))
        for _ in range(5):
            clock.now += 60
            assert shop.visit(client, lambda request: dict(request.session)).json["result"] == {"a": 1}
        clock.now += 101
        assert shop.visit(client, lambda request: dict(request.session)).json["result"] == {}

    def test_is_not_put_off_by_each_request(self, shopping, clock):
        shop = shopping(idle=100)
        client = shop.client()
        shop.visit(client, lambda request: request.session.update(a=1))
        clock.now += 9
        assert "set-cookie" not in shop.visit(client, lambda request: dict(request.session)).headers
        clock.now += 9
        assert "Max-Age=100" in shop.visit(client, lambda request: dict(request.session)).headers["set-cookie"]

    def test_comes_at_the_end_of_its_lifetime_in_any_case(self, shopping, clock):
        shop = shopping(idle=100, lifetime=150)
        client = shop.client()
        shop.visit(client, lambda request: request.session.update(a=1))
        for passed, left in ((60, 90), (60, 30)):
            clock.now += passed
            assert (
                f"Max-Age={left};" in shop.visit(client, lambda request: request.session.rotate()).headers["set-cookie"]
            )
        clock.now += 30
        assert shop.visit(client, lambda request: dict(request.session)).json["result"] == {}

    def test_comes_when_it_is_cleared(self, shop, visitor, visit):
        visit(wrote(a=1))
        response = visit(lambda session: session.clear())
        assert "Max-Age=0" in response.headers["set-cookie"]
        assert NAME not in visitor.cookies
        assert read(visit) == {}


class TestKeys:
    @pytest.mark.parametrize("kind", ["memory", "sqlite"], indirect=True)
    def test_of_strangers_are_never_taken_over(self, visitor, visit, store):
        visitor.cookies.set(NAME, "chosen", secure=True)
        visit(wrote(a=1))
        assert visitor.cookies[NAME] != "chosen"
        assert store.load(key_of("chosen")) is None

    @pytest.mark.parametrize("kind", ["memory", "sqlite"], indirect=True)
    def test_rotate(self, visitor, visit, store):
        visit(wrote(a=1))
        old = visitor.cookies[NAME]

        def log_in(session):
            session.rotate(owner="Ann")
            session["user"] = "Ann"

        visit(log_in)
        new = visitor.cookies[NAME]
        assert new != old
        assert store.load(key_of(old)) is None
        assert store.load(key_of(new)).data == {"a": 1, "user": "Ann"}
        assert [entry.data for entry in store.owned_by("Ann")] == [{"a": 1, "user": "Ann"}]

    def test_that_rotate_leave_behind_what_belongs_to_them_alone(self, visit):
        visit(wrote(a=1, __secret="old"))

        def log_in(session):
            session.rotate()
            assert dict(session) == {"a": 1}
            session["__other"] = "new"

        assert visit(log_in).status == 200
        assert read(visit) == {"a": 1, "__other": "new"}

    @pytest.mark.parametrize("kind", ["memory", "sqlite"], indirect=True)
    def test_that_were_revoked_are_not_revived_by_a_request_that_is_late(self, visitor, visit, store):
        visit(lambda session: session.rotate(owner="Ann") or session.update(a=1))

        def revoked_meanwhile(session):
            session["late"] = 1
            store.delete_owned("Ann")

        response = visit(revoked_meanwhile)
        assert "set-cookie" not in response.headers
        assert store.owned_by("Ann") == []
        assert read(visit) == {}

    @pytest.mark.parametrize("kind", ["memory", "sqlite"], indirect=True)
    def test_that_are_new_outlive_a_request_that_is_late_with_the_old_one(self, visitor, visit, store):
        visit(wrote(a=1))

        def log_in_elsewhere(session):
            session["late"] = 1  # of the request that came first, and is answered last
            new = store.rotate(key_of(visitor.cookies[NAME]), key_of(store.new_key())).key.removeprefix(key_of(""))
            visitor.cookies.set(NAME, new, secure=True)

        visit(log_in_elsewhere)
        assert read(visit) == {"a": 1}

    @pytest.mark.parametrize("kind", ["memory", "sqlite"], indirect=True)
    def test_of_logins_count_where_the_old_one_has_ended_meanwhile(self, visitor, visit, store):
        visit(wrote(a=1))

        def log_in_twice(session):
            store.delete(key_of(visitor.cookies[NAME]))  # as the first of two clicks rotates it away
            session.rotate(owner="Ann")
            session["user"] = "Ann"

        visit(log_in_twice)
        assert read(visit) == {"user": "Ann"}
        assert len(store.owned_by("Ann")) == 1

    @pytest.mark.parametrize("kind", ["memory", "sqlite"], indirect=True)
    def test_that_are_cleared_can_not_be_sent_again(self, visitor, visit):
        visit(wrote(a=1))
        key = visitor.cookies[NAME]
        visit(lambda session: session.clear())
        visitor.cookies.set(NAME, key, secure=True)
        assert read(visit) == {}

    def end(self, shop, visit, visitor, do):
        """Have Ann logged in here and there, Bob in his browser, and something done here; return who has data then."""
        ann, bob = shop.client(), shop.client()
        for client, owner in ((ann, "Ann"), (bob, "Bob"), (visitor, "Ann")):
            shop.visit(client, lambda request, owner=owner: wrote(name=owner)(request.session))
            shop.visit(client, lambda request, owner=owner: request.session.rotate(owner=owner))
        visit(do)
        return [shop.visit(each, lambda request: dict(request.session)).json["result"] for each in (visitor, ann, bob)]

    @pytest.mark.parametrize("kind", ["memory", "sqlite"], indirect=True)
    @pytest.mark.parametrize(
        ("do", "here", "there"),
        [
            (lambda session: session.clear(), {}, {"name": "Ann"}),
            (lambda session: session.clear(everywhere=True), {}, {}),
            (lambda session: [session.clear(everywhere=True), session.update(a=1)], {"a": 1}, {}),
            (lambda session: session.rotate(), {"name": "Ann"}, {"name": "Ann"}),
            (lambda session: session.rotate(end_others=True), {"name": "Ann"}, {}),
            (
                lambda session: [session.update(a=1), session.rotate("Ann", end_others=True)],
                {"name": "Ann", "a": 1},
                {},
            ),
            (lambda session: [session.rotate("Ann", end_others=True), session.clear()], {}, {"name": "Ann"}),
            (lambda session: [session.clear(), session.rotate("Ann", end_others=True)], {}, {}),
        ],
    )
    def test_of_an_owner_end_at_once(self, shop, visit, visitor, do, here, there):
        assert self.end(shop, visit, visitor, do) == [here, there, {"name": "Bob"}]

    @pytest.mark.parametrize("kind", ["memory", "sqlite"], indirect=True)
    def test_of_nobody_have_no_others_to_end(self, visit):
        def end(session):
            session.clear(everywhere=True)
            with pytest.raises(ValueError, match=r"rotate\(owner=\.\.\., end_others=True\)"):
                session.rotate(end_others=True)

        assert visit(end).status == 200

    @pytest.mark.parametrize("sent", ["", "x", "a.b.c", "\\377", '"', "x" * 5000])
    def test_that_are_nonsense_begin_a_new_session(self, shop, sent):
        response = shop.visit(
            shop.client(), lambda request: dict(request.session), headers={"cookie": f"{NAME}={sent}"}
        )
        assert response.json["result"] == {}


class TestTooLate:
    @pytest.mark.parametrize("kept", [True, False])
    @pytest.mark.parametrize("touched", [True, False])
    def test_to_change_it_is_a_stream_that_has_begun(self, shop, visitor, visit, kept, touched):
        errors = []
        if kept:
            visit(wrote(a=1))

        def answer(request):
            if touched:
                assert len(request.session) == kept

            def chunks():
                try:
                    request.session["late"] = 1
                except RuntimeError as error:
                    errors.append(str(error))
                yield "x"

            return Response.stream(chunks())

        assert shop.visit(visitor, answer).text == "x"
        assert "change it before that, not in a stream" in errors[0]

    def test_is_a_function_after_the_response(self, shop):
        errors, ended = [], threading.Event()

        def answer(request):
            @request.after_response
            def late():
                try:
                    request.session["late"] = 1
                except RuntimeError as error:
                    errors.append(str(error))
                ended.set()

            return Response("x")

        shop.visit(shop.client(), answer)
        assert ended.wait(10)
        assert "in request.after_response" in errors[0]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
class TestAtOnce:
    def test_fifty_requests_that_change_different_names_and_one_list_lose_nothing(self, store, interface, style, clock):
        shop = Shop(store, interface, style)

        def add(request):
            request.session[request.args["name"]] = 1
            request.session.setdefault("cart", []).append(request.args["name"])

        shop._do = add
        first = shop.client()
        first.get("/?name=first")
        cookie = {"cookie": f"{NAME}={first.cookies[NAME]}"}

        def send(number):
            with closing(shop.client()) as client:
                client.get(f"/?name=n{number}", headers=cookie)

        threads = [threading.Thread(target=send, args=[number]) for number in range(50)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        data, names = store.load(key_of(first.cookies[NAME])).data, {"first"} | {f"n{number}" for number in range(50)}
        assert sorted(data.pop("cart")) == sorted(names)
        assert data == dict.fromkeys(names, 1)
        first.close()

    @rows(
        "begun, first, second, kept",
        ({}, lambda s: s.setdefault("a", []).append(1), lambda s: s.setdefault("a", []).append(2), [2, 1]),
        ({"a": [0]}, lambda s: s["a"].append(1), lambda s: s["a"].append(1), [0, 1, 1]),
        ({"a": [0, 1, 2]}, lambda s: s["a"].remove(0), lambda s: s["a"].remove(2), [1]),
        ({"a": [0, 1]}, lambda s: s["a"].remove(0), lambda s: s["a"].append(2), [1, 2]),
        ({"a": [0, 1]}, lambda s: s["a"].insert(0, 3), lambda s: s["a"].append(2), [3, 0, 1, 2]),
        ({"a": [{"n": 1}, {"n": 1}]}, lambda s: s["a"][0].update(n=2), lambda s: s["a"][1].update(n=3),
         [{"n": 2}, {"n": 3}]),
        ({"a": [{"n": 1}]}, lambda s: s["a"][0].update(n=2), lambda s: s["a"][0].update(m=3), [{"n": 2, "m": 3}]),
        ({"a": {"tea": 1}}, lambda s: s["a"].update(tea=2), lambda s: s["a"].update(milk=1), {"tea": 2, "milk": 1}),
        ({"a": {"x": {"y": [1]}}}, lambda s: s["a"]["x"]["y"].append(2), lambda s: s["a"]["x"].update(z=1),
         {"x": {"y": [1, 2], "z": 1}}),
        ({"a": {"tea": 1}}, lambda s: s["a"].pop("tea"), lambda s: s["a"].update(milk=1), {"milk": 1}),
        ({"a": {"tea": 1}}, lambda s: s["a"].update(tea=2), lambda s: s["a"].update(tea=3), {"tea": 2}),
        ({"a": {"tea": 1}}, lambda s: s["a"].pop("tea"), lambda s: s["a"].update(tea=3), {}),
        ({"a": [0]}, lambda s: s.update(a=[*s["a"], 1]), lambda s: s["a"].append(2), [0, 2, 1]),
        ({"a": [0]}, lambda s: s.update(a=[1]), lambda s: s["a"].append(2), [1]),
        ({"a": [0]}, lambda s: (s.update(a=[1]), s["a"].append(3)), lambda s: s["a"].append(2), [1, 3]),
        ({"a": [0]}, lambda s: (s.pop("a"), s.setdefault("a", []).append(1)), lambda s: s["a"].append(2), [1, 2]),
        ({"a": [0]}, lambda s: s["a"].append(1), lambda s: s.update(a="text"), [0, 1]),
        ({"a": [0]}, lambda s: s["a"].append(1), lambda s: s.pop("a"), [0, 1]),
        ({"a": [0]}, lambda s: s.pop("a"), lambda s: s["a"].append(1), None),
        ({"a": [0], "b": 1}, lambda s: s["a"].append(1), lambda s: s.pop("b"), [0, 1]),
        ({"a": None}, lambda s: (s.pop("a"), s.setdefault("a", "text")), lambda s: s.update(a="theirs"), "text"),
        ids=range(21),
    )  # fmt: skip
    def test_lists_and_dicts_have_what_both_requests_changed(
        self, store, interface, style, clock, begun, first, second, kept
    ):
        shop = Shop(store, interface, style)
        visitor = shop.client()
        shop.visit(visitor, lambda request: request.session.update({"begun": 1, **begun}))
        key = key_of(visitor.cookies[NAME])

        def change(request):
            request.session.is_new  # noqa: B018 - read before the other request
            theirs = store.load(key).data
            first(request.session)
            second(theirs)
            store.change(key, theirs, remove={*begun} - {*theirs})

        assert shop.visit(visitor, change).status == 200
        data = store.load(key).data
        assert data.pop("a", None) == kept
        assert data == {"begun": 1}
        visitor.close()

    def test_a_store_that_blocks_is_called_on_threads_alone(self, store, interface, style, clock, monkeypatch):
        on_loop = []

        def spy(name):
            original = getattr(SQLiteStore, name)

            def called(self, *arguments, **options):
                try:
                    on_loop.append(bool(asyncio.get_running_loop()))
                except RuntimeError:
                    on_loop.append(False)
                return original(self, *arguments, **options)

            return called

        for name in ("load", "change", "rotate", "delete"):
            monkeypatch.setattr(SQLiteStore, name, spy(name))
        shop = Shop(store, interface, style)
        client = shop.client()
        for do in (wrote(a=1), dict, lambda session: session.rotate(), lambda session: session.clear()):
            shop.visit(client, lambda request, do=do: do(request.session))
        assert on_loop == [False] * 7
        client.close()


def test_those_of_flask_go_on_here_and_back_there(interface, style):
    import flask

    there = flask.Flask(__name__)
    there.secret_key = "k" * 16
    there.get("/<name>")(lambda name: [flask.session.update({name: 1}), sorted(flask.session)][1])
    here = Shop(CookieStore(["k" * 16]), interface, style, cookie="session")
    browser, client = there.test_client(), here.client("http://localhost")
    browser.get("/first")
    client.cookies.set("session", browser.get_cookie("session").value)
    assert here.visit(client, lambda request: request.session.setdefault("second", 1) and [*request.session]).json == {
        "result": ["first", "second"]
    }
    browser.set_cookie("session", client.cookies["session"])
    assert browser.get("/third").json == ["_at", "first", "second", "third"]
    client.close()


@rows("cookie", ["__Http-session", "__Host-Http-session", "__Secure-session"])
def test_a_cookie_may_have_each_prefix(shopping, cookie):
    shop = shopping(cookie=cookie)
    visitor = shop.client()
    for do, data, kept in ((wrote(a=1), None, 1), (dict, {"a": 1}, 1), (lambda session: session.clear(), None, 0)):
        assert shop.visit(visitor, lambda request, do=do: do(request.session)).json["result"] == data
        assert len(visitor.cookies) == kept


def test_without_the_feature_the_error_names_the_line_to_add():
    with pytest.raises(RuntimeError, match=r"app\.use\(Sessions\(store\)\)"):
        assert Request.blank("/").session


def test_a_store_of_ones_own_needs_its_methods_only():
    assert Store.__abstractmethods__ == {
        "load", "change", "delete", "rotate", "owned_by", "delete_owned", "add", "replace", "increment"
    }  # fmt: skip


def test_a_cookie_names_no_other_entry_of_the_store():
    store, app = MemoryStore(), App()
    store.add("idempotent\nkey", {"color": "red"}, ttl=60)
    app.use(Sessions(store))
    app.get("/")(lambda request: {"color": request.session.get("color")})
    quoted = r'session="idempotent\012key"'
    assert Client(app).get("/", headers={"cookie": quoted}).json == {"color": None}


CHANGES = [
    lambda session: session.update(user="bob"),
    lambda session: session.pop("user"),
    lambda session: session.rotate("bob"),
    lambda session: session.clear(),
]


def test_a_change_is_an_effect_that_may_be_refused():
    shop, refused = Shop(MemoryStore(), "wsgi", "def"), []
    client = shop.client()
    shop.visit(client, lambda request: request.session.update(user="ann"))

    def change(request):
        with RequestState(request).refusing_effects(ValueError):
            for each in CHANGES:
                with pytest.raises(ValueError, match="a change of the session"):
                    each(request.session)
                refused.append(request.session["user"])

    shop.visit(client, change)
    assert refused == ["ann"] * len(CHANGES)
    assert shop.visit(client, lambda request: request.session["user"]).json == {"result": "ann"}
