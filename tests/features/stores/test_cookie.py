"""The store in cookies: what it keeps, what it refuses, and what it has in common with Flask."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from flask import Flask
from flask import session as flask_session
from hypothesis import assume, given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer
from markupsafe import Markup

from antiphon import App
from antiphon.features import CookieStore
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

LONG = 10_000.0
KEY, OLDER, ANOTHER = "k" * 16, "o" * 16, "a" * 16
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UNKNOWN = UUID(int=5)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("aä\0\" ")
    | st.binary(max_size=9) | st.uuids() | st.datetimes(timezones=st.just(UTC)).map(lambda each: each.replace(fold=0)),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.sampled_from(["", "a", " b", " di", " t__", " b__"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
WRITTEN_BY_FLASK = {
    "text": "ä", "none": None, "float": 1.5, "list": [1, [2]], "tuple": (1, (2,)), "bytes": b"\0\xff", "uuid": UNKNOWN,
    "moment": MOMENT, "dict": {" b": 1}, "inner": {"tuple": [(1,)], " t": {"x": b"y"}},
    "_flashes": [("message", "Saved.")],
}  # fmt: skip

store = CookieStore([KEY, OLDER])


@pytest.fixture
def clock():
    return [datetime.now(UTC).timestamp()]


@pytest.fixture
def clocked(clock):
    return CookieStore([KEY], clock=lambda: clock[0])


def cookie(data, of=store):
    return of.change("", data, ttl=LONG).key


class TestACookie:
    def test_is_the_key_of_its_entry(self, clock, clocked):
        entry = clocked.change(clocked.new_key(), {"a": 1}, ttl=LONG)
        assert entry.data == {"a": 1}
        assert (entry.created, entry.expires) == (clock[0], clock[0] + LONG)
        assert clocked.load(entry.key) == entry

    def test_is_another_one_after_a_change(self, clock, clocked):
        before = clocked.change("", {"stays": 1, "goes": 2}, ttl=LONG)
        clock[0] += 5
        entry = clocked.change(before.key, {"comes": 3}, remove=["goes", "was never there"], ttl=LONG)
        assert entry.data == clocked.load(entry.key).data == {"stays": 1, "comes": 3}
        assert entry.created == before.created
        assert entry.expires == clock[0] + LONG

    def test_expires(self, clock, clocked):
        key = clocked.change("", {"a": 1}, ttl=5).key
        clock[0] += 4
        assert clocked.load(key)
        clock[0] += 1
        assert clocked.load(key) is None
        assert clocked.change(key, {}, ttl=5, create=False) is None
        assert clocked.change(key, {"b": 2}, ttl=5).data == {"b": 2}

    def test_is_the_same_after_it_was_rotated(self):
        key = cookie({"a": 1})
        assert store.rotate(key, store.new_key()) == store.load(key)

    @given(VALUES)
    def test_has_its_values_equal_and_of_their_type(self, value):
        entry = store.change("", {"value": value}, ttl=LONG)
        assert repr(store.load(entry.key).data["value"]) == repr(value) == repr(entry.data["value"])

    @rows("value", [{1, 2}, object(), datetime(2026, 1, 2), float("inf"), {1: 2}])
    def test_refuses_other_values_by_name(self, value):
        with pytest.raises(TypeError, match="'wrong' can't be stored"):
            cookie({"wrong": value})

    def test_has_a_name_of_its_own(self):
        with pytest.raises(ValueError, match="the name '_at' is reserved for the store"):
            cookie({"_at": 1})

    def test_that_browsers_would_drop_is_an_error_that_names_other_stores(self):
        with pytest.raises(
            ValueError, match=r"use SQLiteStore\(path\), PostgresStore\(url\) or ValkeyStore\(url\) instead"
        ):
            cookie({"a": Random(1).randbytes(4000)})

    @given(size=st.integers(0, 6000))
    def test_that_is_accepted_can_be_loaded(self, size):
        text = Random(size).randbytes(size).hex()
        try:
            key = cookie({"text": text})
        except ValueError:
            assert size > 1000
        else:
            assert store.load(key).data == {"text": text}


class TestKeys:
    def test_rotate(self):
        """The newest signs, and all verify."""
        old = cookie({"a": 1}, CookieStore([OLDER]))
        assert store.load(old).data == {"a": 1}
        new = cookie({"a": 1})
        assert CookieStore([KEY]).load(new).data == {"a": 1}
        assert CookieStore([OLDER + "x"]).load(new) is None

    @rows("keys", [[], ["short"], [KEY, "short"], [b"short"]])
    def test_are_long(self, keys):
        with pytest.raises(ValueError, match="secret key"):
            CookieStore(keys)

    def test_may_be_those_of_an_app(self):
        app = App(secret_keys=[KEY])
        assert CookieStore(app.secret_keys).load(cookie({"a": 1})).data == {"a": 1}


class TestWhatIsRefused:
    VALID = cookie({"user": 1, "text": "x" * 50})

    @given(
        st.text()
        | st.text("aA0._-", max_size=60)
        | st.text(max_size=60).map(lambda text: TestWhatIsRefused.VALID + text)
    )
    def test_other_text(self, text):
        assume(text != self.VALID)
        assert store.load(text) is None

    @given(st.integers(0, len(VALID) - 1), st.characters(exclude_categories=()))
    def test_a_tampered_cookie(self, at, character):
        tampered = self.VALID[:at] + character + self.VALID[at + 1 :]
        found = store.load(tampered)
        # The last character of a signature has bits that count for nothing.
        assert found is None or tampered[:-1] == self.VALID[:-1]

    @rows("more", ["::", "=", " ", "\n", "%3D", "A", "AA", "AAA", ".", ".A"])
    def test_a_cookie_with_something_behind(self, more):
        assert store.load(self.VALID + more) is None

    @given(st.integers(0, len(VALID) - 1))
    def test_a_truncated_cookie(self, length):
        assert store.load(self.VALID[:length]) is None
        assert store.load(self.VALID[length + 1 :]) is None

    def test_a_cookie_of_another_key(self):
        assert store.load(cookie({"user": 1}, CookieStore([ANOTHER]))) is None

    def test_an_oversized_cookie(self):
        assert store.load(self.VALID + "x" * 1_000_000) is None
        signer = URLSafeTimedSerializer(KEY, salt="cookie-session", signer_kwargs={"key_derivation": "hmac"})
        assert store.load(signer.dumps({"a": Random(1).randbytes(4000).hex()})) is None

    @rows("salt", ["cookie", "reset-password"])
    def test_what_the_key_has_signed_for_another_use(self, salt):
        assert (
            store.load(URLSafeTimedSerializer(KEY, salt=salt, signer_kwargs={"key_derivation": "hmac"}).dumps({}))
            is None
        )

    @rows("data", [[], "text", None, 5, {" u": "no uuid"}, {" b": 5}, {" d": "no date"}, {" di": 5}])
    def test_what_was_signed_and_is_no_session(self, data):
        signer = URLSafeTimedSerializer(KEY, salt="cookie-session", signer_kwargs={"key_derivation": "hmac"})
        assert store.load(signer.dumps(data)) is None


class TestFlask:
    @pytest.fixture
    def flask(self):
        app = Flask(__name__)
        app.config["SECRET_KEY"] = KEY

        @app.get("/write")
        def write():
            flask_session.update(WRITTEN_BY_FLASK, markup=Markup("<b>"))
            return ""

        @app.get("/read")
        def read():
            self.found = dict(flask_session)
            return ""

        return app.test_client()

    def test_its_cookies_count(self, flask, clock, clocked):
        flask.get("/write")
        key = flask.get_cookie("session").value
        clock[0] = datetime.now(UTC).timestamp()
        entry = clocked.load(key)
        assert entry.data == {**WRITTEN_BY_FLASK, "markup": "<b>"}
        assert 0 <= clock[0] - entry.changed < 10
        assert 0 <= entry.changed - entry.created < 1
        assert entry.expires == entry.changed + timedelta(days=31).total_seconds()
        clock[0] += timedelta(days=31).total_seconds()
        assert clocked.load(key) is None

    @pytest.mark.parametrize("more", [{}, {"long": "x" * 5000}], ids=["as it is", "compressed"])
    def test_it_reads_these(self, flask, more):
        key = cookie(WRITTEN_BY_FLASK | more)
        flask.set_cookie("session", key)
        flask.get("/read")
        assert self.found.pop("_at")
        assert self.found == WRITTEN_BY_FLASK | more


class TestWhatACookieCanNotDo:
    @rows(
        "ask",
        lambda: store.delete("key"),
        lambda: store.owned_by("Ann"),
        lambda: store.delete_owned("Ann"),
        lambda: store.add("key", {}, ttl=LONG),
        lambda: store.replace("key", {}, version=1, ttl=LONG),
        lambda: store.increment("key", ttl=LONG),
    )
    def test_is_an_error_that_names_other_stores(self, ask):
        with pytest.raises(
            NotImplementedError,
            match=r"CookieStore can't .*SQLiteStore\(path\), PostgresStore\(url\) or ValkeyStore\(url\) can",
        ):
            ask()

    def test_is_known_before(self):
        assert store.is_server_side is False
        assert store.blocks is False
