"""What is special about the store in Valkey."""

import builtins
import logging
from contextlib import closing, suppress

import pytest

from antiphon import App
from antiphon.app.store import hash_key
from antiphon.features import Sessions, StoreUnavailable, ValkeyStore
from antiphon.testing import Client
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes

LONG = 10_000.0


@pytest.fixture
def opened(server):
    store = ValkeyStore(server.url, timeout=0.3)
    yield store
    store.close()


@rows("url", ["", "localhost", "http://localhost", "redis://", "valkey:"])
def test_a_url_has_a_known_scheme(url):
    with pytest.raises(ValueError, match='ValkeyStore needs a URL such as "valkey://localhost:6379/0"'):
        ValkeyStore(url)


@rows("scheme", ["valkey", "valkeys", "redis", "rediss"])
def test_nothing_is_connected_until_it_is_used(scheme):
    ValkeyStore(f"{scheme}://localhost:1/0")


def test_without_the_client_it_says_what_to_install(monkeypatch):
    def import_(name, *rest):
        if name.startswith("redis"):
            raise ImportError(name)
        return original(name, *rest)

    original = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", import_)
    with pytest.raises(ImportError, match=r"pip install 'antiphon\[valkey\]'"):
        ValkeyStore("valkey://localhost")


def test_the_server_has_no_key_that_can_be_used(server, opened):
    opened.change("the key of Ann", {}, ttl=LONG, owner="Ann")
    opened.increment("the key of Ann", ttl=LONG)
    names = opened._client.keys()
    assert sorted(name.split(b":")[1] for name in names) == [b"a", b"a", b"c", b"e", b"o"]
    assert not any(b"the key of Ann" in name for name in names)


def test_everything_on_the_server_expires_by_itself(opened):
    opened.change("key", {}, ttl=LONG, owner="Ann")
    opened.change("other", {}, ttl=5, owner="Ann")
    opened.add("added", {}, ttl=LONG)
    opened.increment("key", ttl=LONG)
    left = {name: opened._client.pttl(name) for name in opened._client.scan_iter()}
    assert sorted(name.split(b":")[1] for name in left) == [*[b"a"] * 4, b"c", b"e", b"e", b"e", b"o"]
    assert all(0 < each <= LONG * 1000 for each in left.values())
    assert left[b"antiphon:o:Ann"] > 5000  # as long as the last of the entries


@pytest.mark.parametrize("fields", [{"f": b"\x02"}, {".a": b"\xc1"}, {"v": b"none"}])
def test_what_a_later_release_wrote_or_nobody_is_absent_and_logged(opened, caplog, fields):
    opened.change("key", {"a": 1}, ttl=LONG, owner="Ann")
    [name] = opened._client.keys("antiphon:e:*")
    opened._client.hset(name, mapping=fields)
    with caplog.at_level(logging.WARNING):
        assert opened.load("key") is None
    assert caplog.messages
    assert opened.owned_by("Ann") == []
    assert opened.add("key", {"b": 2}, ttl=LONG) is None
    opened.delete("key")
    opened.add("spent\0key", {}, ttl=LONG)
    for name in opened._client.keys("antiphon:e:*"):
        opened._client.hset(name, mapping=fields)
    with pytest.raises(StoreUnavailable):
        opened.load("spent\0key")
    assert opened.add("key", {"b": 2}, ttl=LONG).data == {"b": 2}


def use(store):
    return store.change("key", {"a": 1}, ttl=LONG)


def answered(call, *arguments):
    """Return what a call returns as soon as the server is asked again."""

    def look():
        with suppress(StoreUnavailable):
            return [call(*arguments)]

    return eventually(look, "the server is not asked again")[0]


@pytest.mark.parametrize("call", [use, lambda store: store.load("key")], ids=["change", "load"])
def test_a_server_that_is_away_is_a_503_and_then_it_goes_on(server, opened, caplog, call):
    use(opened)
    server.stop()
    with pytest.raises(StoreUnavailable) as raised:
        call(opened)
    assert raised.value.headers["retry-after"] == "2"
    assert server.url in caplog.text
    server.start()
    answered(call, opened)
    assert use(opened) == opened.load("key")


def test_a_server_that_was_away_between_two_calls_is_not_noticed(server, opened):
    use(opened)
    server.stop()
    server.start()
    assert opened.load("key") is None  # the tests' server keeps nothing on disk
    assert use(opened)


@pytest.fixture
def frozen(server, opened):
    """A store whose server has answered, and answers nothing now."""
    use(opened)
    server.freeze()
    yield opened
    server.thaw()


def test_a_server_that_answers_nothing_is_a_503_for_which_few_wait(server, frozen, caplog):
    for _ in range(100):
        with pytest.raises(StoreUnavailable):
            use(frozen)
    assert 1 <= caplog.text.count("is not available: Timeout") < 50  # each that waits is logged
    server.thaw()
    assert answered(use, frozen)


def test_what_was_begun_is_ended_though_the_server_was_away_just_now(server, opened):
    """As the claim of a write that was carried out meanwhile."""
    entry = use(opened)
    server.freeze()
    with pytest.raises(StoreUnavailable):
        opened.load("key")
    server.thaw()
    assert opened.replace("key", {"b": 2}, version=entry.version, ttl=LONG).data == {"b": 2}
    assert opened.load("key").data == {"b": 2}


def test_an_error_that_the_server_answers_with_is_a_503_and_keeps_nobody_from_asking(opened):
    opened._client.set(f"antiphon:c:{hash_key('text').hex()}", "no number")
    with pytest.raises(StoreUnavailable):
        opened.increment("text", ttl=LONG)
    assert use(opened)


def test_an_address_that_answers_nothing_is_a_503_in_time():
    store = ValkeyStore("valkey://:secret@192.0.2.1:6379", connect_timeout=0.1)
    with pytest.raises(StoreUnavailable):
        store.load("key")


def test_a_password_is_not_logged(caplog):
    store = ValkeyStore("valkey://someone:secret@127.0.0.1:1/0?password=secret", connect_timeout=0.1)
    with pytest.raises(StoreUnavailable):
        store.load("key")
    assert "valkey://127.0.0.1:1/0" in caplog.text
    assert "secret" not in caplog.text


def test_clients_are_told_to_come_back_and_not_why(server, opened):
    app = App()
    app.get("/")(lambda request: opened.load("key") or "nothing")
    server.stop()
    answer = Client(app).get("/", headers={"accept": "application/json"})
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert answer.json["detail"] == "Please try again in a moment."


def answers(response):
    return response if response.status == 200 else None


@pytest.mark.axes("interface", "style")
@pytest.mark.parametrize("style", ["def", "async def"])
class TestASessionWhoseServerIsAway:
    @pytest.fixture
    def visit(self, server, opened, interface, style):
        """Have a request do something with the session."""
        app = App()
        app.use(Sessions(opened))
        todo = []

        def answer(request):
            todo[-1](request)
            return "fine"

        app.get("/")(in_style(style, answer))
        with closing(Client(app, interface, base_url="https://shop.example.com")) as client:
            yield lambda do: todo.append(do) or client.get("/")

    def test_is_a_503_for_those_who_use_it(self, server, visit):
        visit(lambda request: request.session.update(a=1))
        server.stop()
        assert visit(lambda request: None).text == "fine"
        for use in (dict, len, lambda session: session.update(a=2), lambda session: session.clear()):
            response = visit(lambda request, use=use: use(request.session))
            assert (response.status, response.headers["retry-after"]) == (503, "2")
        server.start()
        response = eventually(lambda: answers(visit(lambda request: request.session.update(a=3))), "still a 503")
        assert "set-cookie" in response.headers

    def test_when_it_is_written_is_a_503_without_a_cookie(self, server, visit):
        def write(request):
            request.session["a"] = 1
            server.stop()

        response = visit(write)
        assert (response.status, response.headers["retry-after"]) == (503, "2")
        assert "set-cookie" not in response.headers
