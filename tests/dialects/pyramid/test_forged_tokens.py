"""Tickets, sessions and credentials that were changed at random: whom they name, as with Pyramid, which is nobody."""

from base64 import b64encode
from random import Random

import pytest

from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package, outcome
from tests.helpers.rows import rows

OURS, THEIRS = Package(DIALECT), Package(PYRAMID)
SECRET = "a secret of some length, 0123456789"
pytestmark = pytest.mark.filterwarnings("ignore")

LETTERS = '!"%=+/,;:0aZ_-. \x00\u00e9\t'


def changed(text, random):
    """The text with one to three changes: letters that are added, removed, replaced, moved or doubled."""
    letters = [*text]
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(letters) + 1)
        letters[place : place + random.randint(0, 3)] = random.choices(LETTERS, k=random.randint(0, 3))
        if random.random() < 0.2:
            start = random.randrange(len(letters) + 1)
            letters[place:place] = letters[start : start + random.randint(1, 30)]
    return "".join(letters)


def blank(p, headers=()):
    request = p.request.Request.blank("/", {"REMOTE_ADDR": "1.2.3.4"}, headers=dict(headers))
    request.registry = p.registry.Registry("test")
    return request


USERS = ["fred", 42, b"\xff", "a!b|c", "fr\u00e9d\u00e9ric"]
OPTIONS = [{}, {"include_ip": True}, {"hashalg": "md5"}, {"timeout": 60}, {"timeout": 60, "reissue_time": 0}]


@rows("options", OPTIONS, ids=str)
@rows("user", USERS, ids=str)
def test_a_changed_ticket_names_nobody(options, user):
    random = Random(f"{options}{user}")
    helpers = [p.authentication.AuthTktCookieHelper(SECRET, **options) for p in (OURS, THEIRS)]
    tokens = random.choice([(), ("a", "b1")])
    ticket = helpers[0].remember(blank(OURS), user, tokens=tokens)[0][1].partition(";")[0].partition("=")[2].strip('"')
    good = helpers[0].identify(blank(OURS, {"Cookie": f'auth_tkt="{ticket}"'}))
    assert good["userid"] == user
    for _ in range(200):
        forged = changed(ticket, random)
        ours, theirs = (
            outcome(lambda p=p, helper=helper, value=f"auth_tkt={forged}": _identity(p, helper, value))
            for p, helper in zip((OURS, THEIRS), helpers, strict=True)
        )
        assert ours in (None, _told(good)), forged  # another spelling of the same ticket is the same user's
        assert ours in (None, theirs), forged


def _identity(p, helper, cookie):
    request = blank(p)
    request.environ["HTTP_COOKIE"] = cookie.encode().decode("latin-1")
    found = helper.identify(request)
    return found and _told(found)


def _told(identity):
    return identity["userid"], identity["tokens"], identity["timestamp"]


def test_a_changed_session_is_a_new_one():
    random = Random(56)
    factory = OURS.session.SignedCookieSessionFactory(SECRET)
    request, response = blank(OURS), OURS.response.Response()
    session = factory(request)
    session["user"] = "ada"
    request._process_response_callbacks(response)
    value = response.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    for _ in range(500):
        forged = changed(value, random)
        request = blank(OURS)
        request.environ["HTTP_COOKIE"] = f"session={forged}".encode().decode("latin-1")
        assert dict(factory(request)) in ({}, {"user": "ada"}), forged  # other spellings of Base64 are the same session


def test_changed_credentials_are_read_as_by_pyramid():
    random = Random(56)
    good = "Basic " + b64encode("fr\u00e9d:pass:word".encode()).decode()
    for _ in range(500):
        header = changed(good, random).replace("\x00", "")
        found = [outcome(lambda p=p, header=header: _credentials(p, header)) for p in (OURS, THEIRS)]
        assert found[0] == found[1], header


def _credentials(p, header):
    request = blank(p)
    request.environ["HTTP_AUTHORIZATION"] = header.encode().decode("latin-1")
    found = p.authentication.extract_http_basic_credentials(request)
    return found and tuple(found)
