"""Values signed with keys that rotate, which anybody may read and nobody change."""

import hashlib
import pickle
import string
import time

import flask
import itsdangerous
import pytest
from flask.sessions import SecureCookieSessionInterface
from hypothesis import given
from hypothesis import strategies as st

from antiphon import App, BadSignature, HTTPError, SignatureExpired, Signer
from antiphon.serialization.signing import SecretKeys, TimedSigner
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

OLD, NEW, OTHER = "old" * 8, "new" * 8, "other" * 8
signer = Signer([NEW, OLD], salt="newsletter")
FIT_FOR_URLS = {*string.ascii_letters, *string.digits, *"-_."}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=5,
)


class TestAValue:
    @given(json_values)
    def test_is_read_back_as_it_was_signed(self, value):
        text = signer.sign(value)
        assert signer.unsign(text) == value
        assert set(text) <= FIT_FOR_URLS

    @rows("value", [object(), {1, 2}, b"bytes"], ids=["object", "set", "bytes"])
    def test_that_json_cannot_hold_is_refused(self, value):
        with pytest.raises(TypeError):
            signer.sign(value)

    @given(st.data())
    def test_that_was_changed_anywhere_is_refused(self, data):
        text = signer.sign({"address": "ann@example.com"})
        at = data.draw(st.integers(0, len(text) - 2))  # two bits of the last character mean nothing
        to = data.draw(st.sampled_from(sorted(FIT_FOR_URLS | {"é", "\0", " "})).filter(lambda new: new != text[at]))
        with pytest.raises(BadSignature):
            signer.unsign(text[:at] + to + text[at + 1 :])

    @rows(
        "text",
            None, "", ".", "..", "...", "a.b.c", "é", "\ud800", "\0", "x" * 100_000, "." * 10_000, ".x.y.z",
            signer.sign("a")[:-1], signer.sign("a")[1:], signer.sign("a") + "x", signer.sign("a") + "\n",
            f" {signer.sign('a')}", signer.signature("a"), f"a.{signer.signature('a')}",
            Signer([OTHER], salt="newsletter").sign("a"),
            Signer([NEW], salt="session").sign("a"),
            Signer([NEW], salt="newsletter", digest="sha1").sign("a"),
        ids=range(22),
    )  # fmt: skip
    def test_that_was_not_signed_for_this_is_refused(self, text):
        with pytest.raises(BadSignature) as caught:
            signer.unsign(text)
        assert caught.value.status == 403
        assert caught.value.__cause__ is None
        with pytest.raises(BadSignature, match="signature"):
            signer.unsign(text, max_age=60)

    def test_that_is_too_old_is_refused_with_410(self, monkeypatch):
        text = signer.sign("a")
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 61)
        assert signer.unsign(text) == signer.unsign(text, max_age=63) == "a"
        with pytest.raises(SignatureExpired) as caught:
            signer.unsign(text, max_age=60)
        assert isinstance(caught.value, BadSignature | HTTPError)
        assert caught.value.status == 410

    def test_of_a_machine_whose_clock_is_ahead_is_good(self, monkeypatch):
        text = signer.sign("a")
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now - 5)
        assert signer.unsign(text, max_age=0.5) == "a"


class TestKeys:
    def test_rotate_the_newest_signs_and_all_verify(self):
        before, after = Signer([OLD], salt="newsletter"), Signer([NEW], salt="newsletter")
        assert [signer.unsign(each.sign("a")) for each in (before, after, signer)] == ["a"] * 3
        assert after.unsign(signer.sign("a")) == "a"
        with pytest.raises(BadSignature):
            before.unsign(signer.sign("a"))
        assert signer.is_signature("text", before.signature("text"))
        assert signer.signature("text") == after.signature("text")

    @rows(
        "keys, error, says",
        ("a" * 32, TypeError, "must be a list"),
        (b"a" * 32, TypeError, "must be a list"),
        ([None], TypeError, "NoneType; python -c"),
        ([123456789012345678], TypeError, "token_urlsafe"),
        ([""], ValueError, "16 bytes, not 0, .*token_urlsafe"),
        ([NEW, "fifteen bytes.."], ValueError, "16 bytes, not 15, .*token_urlsafe"),
        ([], ValueError, "needs a secret key"),
    )
    def test_that_are_weak_or_none_are_refused_with_the_fix(self, keys, error, says):
        for make in (lambda: Signer(keys, salt="a"), lambda: App(secret_keys=keys).signer("a")):
            if keys == [] and make.__code__.co_names[0] == "App":
                continue
            with pytest.raises(error, match=says) as caught:
                make()
            assert "fifteen" not in str(caught.value)

    def test_are_text_or_bytes(self):
        assert Signer([NEW.encode()], salt="a").unsign(Signer([NEW], salt="a").sign(1)) == 1
        assert Signer(["sechzehn Bytes: ü"], salt="a").sign(1)

    def test_are_in_no_repr(self):
        keys = SecretKeys([NEW, OLD])
        app = App(secret_keys=[NEW, OLD])
        shown = f"{keys!r} {signer!r} {signer} {app!r} {vars(app)!r} {vars(signer)!r}"
        assert NEW not in shown
        assert OLD not in shown

    @rows(
        "given, name", ({"salt": ""}, "salt"), ({"salt": None}, "salt"), ({"salt": "a", "digest": "md5"}, "not 'md5'")
    )
    def test_need_a_purpose_and_a_known_digest(self, given, name):
        with pytest.raises(ValueError, match=name):
            Signer([NEW], **given)


class TestASignature:
    @given(st.text(st.characters(exclude_categories=["Cs"])), st.text())
    def test_is_good_for_one_text_alone(self, text, other):
        made = signer.signature(text)
        assert signer.is_signature(text, made)
        assert not signer.is_signature(text + "a", made)
        assert not signer.is_signature(text, other)


class TestAnApp:
    def test_signs_with_its_keys(self):
        app = App(secret_keys=[NEW, OLD])
        assert signer.unsign(app.signer("newsletter").sign("a")) == "a"

    def test_without_keys_tells_what_to_write(self):
        with pytest.raises(RuntimeError, match=r"App\(secret_keys=.*token_urlsafe"):
            App().signer("newsletter")

    def test_answers_a_bad_value_with_403(self):
        app = App(secret_keys=[NEW])

        @app.get("/unsubscribe/<token>")
        def unsubscribe(request, token: str):
            return app.signer("newsletter").unsign(token, max_age=3600)["address"]

        client = Client(app)
        token = signer.sign({"address": "ann@example.com"})
        assert client.get(f"/unsubscribe/{token}").text == "ann@example.com"
        response = client.get(f"/unsubscribe/{token}x")
        assert response.status == 403
        assert "newsletter" not in response.text


def test_errors_can_be_pickled():
    for error in (BadSignature(), SignatureExpired()):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), copy.status, copy.detail) == (type(error), error.status, error.detail)


def test_a_session_that_flask_signed_is_read():
    app = flask.Flask("shop")
    app.secret_key = NEW
    cookie = SecureCookieSessionInterface().get_signing_serializer(app).dumps({"user": "ann", "cart": [1, 2] * 50})
    assert Signer([NEW], salt="cookie-session", digest="sha1").unsign(cookie) == {"user": "ann", "cart": [1, 2] * 50}


class TestATimedSigner:
    """What signs cookies, beside itsdangerous."""

    def theirs(self, *keys, digest):
        return itsdangerous.TimestampSigner(
            keys, salt="cookies", key_derivation="hmac", digest_method=getattr(hashlib, digest)
        )

    @given(st.binary(), st.integers(1, 2**40), st.sampled_from(["sha1", "sha256"]))
    def test_signs_as_itsdangerous_does(self, value, now, digest):
        ours = TimedSigner(SecretKeys([NEW, OLD]).oldest_first, "cookies", digest).sign(value, now)
        theirs = self.theirs(OLD, NEW, digest=digest)
        theirs.get_timestamp = lambda: now
        assert ours == theirs.sign(value)
        assert self.theirs(NEW, digest=digest).unsign(ours) == value

    @given(st.binary(), st.binary())
    def test_takes_no_other_signature_than_that_of_a_key(self, value, other):
        signer = TimedSigner(SecretKeys([NEW, OLD]).oldest_first, "cookies", "sha1")
        for key, known in ((OLD, True), (NEW, True), (OTHER, False)):
            text = TimedSigner([key.encode()], "cookies", "sha1").sign(value, 1e9)
            signed, _, signature = text.rpartition(b".")
            assert (signer.unsign(text) is not None) is known
            assert signer.is_signature(signed, signature) is known
            assert signer.is_signature(signed, other) is (known and other == signature)
            assert not signer.is_signature(signed + b"x", signature)
            assert not signer.is_signature(signed, signature[:-1])
        assert not TimedSigner(SecretKeys([NEW]).oldest_first, "other", "sha1").is_signature(signed, signature)
