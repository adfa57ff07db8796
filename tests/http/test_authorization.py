from base64 import b64encode

import pytest
import werkzeug.datastructures
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon.http.authorization import Authorization, Challenge, parse_challenges
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"

tokens = st.text(TOKEN_CHARACTERS, min_size=1, max_size=8)
schemes = tokens.filter(lambda scheme: scheme.lower() not in ("basic", "bearer"))
token68s = st.from_regex(r"[A-Za-z0-9\-._~+/]{1,12}={0,3}", fullmatch=True)
values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=12)
parameters = st.dictionaries(tokens.map(str.lower), values, max_size=4)
secrets = st.text(st.characters(codec="utf-8", min_codepoint=0x20, exclude_characters="\x7f"), max_size=20)
credentials = st.builds(Authorization, schemes, parameters) | st.builds(Authorization, schemes, token=token68s)
challenges = st.builds(Challenge, tokens, parameters) | st.builds(Challenge, tokens, token=token68s)

DIGEST = (
    'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
    'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, '
    'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def basic(pair):
    return f"Basic {b64encode(pair).decode()}"


@rows(
    "header, username, password",
    ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"),
    ("Basic dGVzdDoxMjPCow==", "test", "123£"),
    ("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"),
    (" \tBASIC \t QWxhZGRpbjpvcGVuIHNlc2FtZQ== ", "Aladdin", "open sesame"),
    (basic("test:123£".encode("latin-1")), "test", "123£"),
    (basic(b"a:b:c:"), "a", "b:c:"), (basic(b":"), "", ""), (basic(b"a:"), "a", ""), (basic(b":b"), "", "b"),
    (basic(b" a : b "), " a ", " b "),
    (basic("ü€😀:\u3000".encode()), "ü€😀", "\u3000"),
    (basic(b"\xff\xfe:\x80"), "ÿþ", "\x80"),
)  # fmt: skip
def test_reads_names_and_passwords(header, username, password):
    authorization = Authorization.parse(header)
    assert authorization.scheme == "basic"
    assert (authorization.username, authorization.password) == (username, password)
    assert authorization.parameters == {}


@rows(
    "header, read",
    ("Digest", {}),
    ("Digest , ,", {}),
    ('Foo a=b,,C = "d, \\"e\\"" ,f=""', {"a": "b", "c": 'd, "e"', "f": ""}),
    ("Foo a=b=c", {"a": "b=c"}),
    ("Foo a==b", {"a": "=b"}),
    (
        "AWS4-HMAC-SHA256 Credential=AKID/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range,Signature=f0",
        {"credential": "AKID/20130524/us-east-1/s3/aws4_request", "signedheaders": "host;range", "signature": "f0"},
    ),
    ('OAuth realm="Example", oauth_token="nnch734d00sl2jdk"', {"realm": "Example", "oauth_token": "nnch734d00sl2jdk"}),
    ('Foo a="\xe9\t"', {"a": "é\t"}),
)
def test_reads_parameters(header, read):
    authorization = Authorization.parse(header)
    assert authorization.parameters == read
    assert authorization.token is None
    assert Authorization.parse(str(authorization)) == authorization


def test_reads_and_prints_digest_with_and_without_quotes():
    authorization = Authorization.parse(DIGEST)
    assert authorization.scheme == "digest"
    assert authorization.username == "Mufasa"
    assert authorization.password is None
    assert authorization.parameters["nc"] == "00000001"
    assert authorization.parameters["qop"] == "auth"
    assert str(authorization) == DIGEST
    assert str(Authorization.parse(DIGEST.replace("SHA-256", '"SHA-256"').replace("qop=auth", 'qop="auth"'))) == DIGEST
    assert Authorization("Digest", authorization.parameters) == authorization


@rows(
    "written, username",
    ('username="a:b"', "a:b"), ("username=a", "a"),
    ("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe", "Jäsøn Doe"),
    ("username*=utf-8'en'abc", "abc"), ("username=a, username*=UTF-8''b", "a"), ("username*=UTF-8''%FF", None),
    ("username*=UTF-8''%0A", None), ("username*=UTF-8''%C3%", None), ("username*=UTF-16''a", None),
    ("username*=a", None), ("realm=a", None),
)  # fmt: skip
def test_names_of_digest(written, username):
    authorization = Authorization.parse(f"Digest {written}")
    assert authorization.username == username
    assert str(Authorization.parse(str(authorization))) == str(authorization)


def test_a_name_beyond_latin_1_is_printed_without_quotes():
    printed = "Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, userhash=false"
    assert str(Authorization.parse(printed)) == printed


@rows(
    "header",
        "", " ", ",", "=", "Basic", "Basic ", "Bearer", "Bearer sesame=sesame", "Bearer sesame sesame",
        "Bearer sesame,", 'Bearer "sesame"', "Bearer sesame, Bearer sesame", "Bearer sesamé", "Bearer sesame\n",
        "Bearer =sesame", 'Basic realm="sesame"', "Basic QWxhZGRpbjpzZXNhbWU", "Basic QWxhZGRpbjpzZXNhbWU==",
        "Basic QWxhZGRpbjpzZXNhbWU=QQ==", "Basic QWxh-GRpbjpzZXNhbWU=", "Basic QWxh ZGRpbjpzZXNhbWU=", "Basic sesame",
        "Basic =",
        basic(b""),
        basic(b"sesame"),
        basic(b"a\0:sesame"),
        basic(b"a\r\nb:sesame"),
        basic(b"a:sesame\x7f"),
        basic(b"\xff:sesame\x1f"),
        "Digest a=, b=sesame", "Digest a=sesame b=sesame", "Digest sesame, a=sesame", "Digest a=sesame, sesame",
        "Digest a=sesame, A=sesame", 'Digest a="sesame', 'Digest a="sesame\\', 'Digest a=sesame"sesame"',
        'Digest a="sesame"sesame', 'Digest a="sesame\n"', "Digest a=sesame\0", 'Digest a="sesame€"',
        'Digest "a"=sesame', "Digest a b=sesame", "a=sesame", 'a = "sesame"', "(a) sesame", "Foo sesame\0",
)  # fmt: skip
def test_malformed_credentials_are_refused_without_repeating_them(header):
    with pytest.raises(ValueError, match=r"credentials|parameter|token") as caught:
        Authorization.parse(header)
    assert "sesam" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@rows(
    "build",
    lambda: Authorization.basic("a:b", "sesame"),
    lambda: Authorization.basic("a\n", "sesame"),
    lambda: Authorization.basic("a", "sesame\0"),
    lambda: Authorization.basic("a", "sesame\ud800"),
    lambda: Authorization.bearer(""),
    lambda: Authorization.bearer("sesame sesame"),
    lambda: Authorization.bearer("sesame\r\n"),
    lambda: Authorization.bearer("sesame\n"),
    lambda: Authorization.bearer("sesame|"),
    lambda: Authorization.bearer("sesamé"),
    lambda: Authorization.bearer("=sesame"),
    lambda: Authorization.bearer(b"sesame"),
    lambda: Authorization("Basic"),
    lambda: Authorization("Basic", {"username": "a", "password": "sesame"}),
    lambda: Authorization("Basic", token="sesame"),
    lambda: Authorization("Bearer", {"token": "sesame"}),
    lambda: Authorization("Foo", {"a": "sesame"}, token="sesame"),
    lambda: Authorization("Foo", {"a": "sesame\r\n"}),
    lambda: Authorization("Foo", {"a": "sesame\0"}),
    lambda: Authorization("Foo", {"a": "sesame€"}),
    lambda: Authorization("Foo", {"a": 1}),
    lambda: Authorization("Foo", {"a b": "sesame"}),
    lambda: Authorization("Foo", {"": "sesame"}),
    lambda: Authorization("Foo bar", {"a": "sesame"}),
    lambda: Authorization("", {"a": "sesame"}),
)
def test_bad_credentials_cannot_be_built(build):
    with pytest.raises(ValueError, match=r"name|token|parameter|credentials|scheme|Unicode") as caught:
        build()
    assert "sesam" not in str(caught.value)


@rows(
    "authorization, shown",
    (Authorization.basic("Aladdin", "open sesame"), "<Authorization: Basic of 'Aladdin'>"),
    (Authorization.bearer("secret"), "<Authorization: Bearer>"),
    (Authorization.parse(DIGEST), "<Authorization: Digest of 'Mufasa'>"),
    (Authorization("OAuth", {"oauth_token": "secret"}), "<Authorization: OAuth>"),
    (Challenge("Negotiate", token="secret"), "<Challenge: Negotiate>"),
    (Challenge.basic("here", None), "<Challenge: Basic {'realm': 'here'}>"),
)
def test_secrets_are_not_shown(authorization, shown):
    assert repr(authorization) == shown
    assert f"{[authorization]}" == f"[{shown}]"


@rows(
    "challenge, printed",
    (Challenge.basic("foo"), 'Basic realm="foo", charset="UTF-8"'),
    (Challenge.basic("WallyWorld", charset=None), 'Basic realm="WallyWorld"'),
    (Challenge.basic('say "é\\"'), 'Basic realm="say \\"é\\\\\\"", charset="UTF-8"'),
    (Challenge.bearer("example"), 'Bearer realm="example"'),
    (
        Challenge.bearer("example", error="invalid_token", error_description="The access token expired"),
        'Bearer realm="example", error="invalid_token", error_description="The access token expired"',
    ),
    (Challenge.bearer(scope=["openid", "profile"]), 'Bearer scope="openid profile"'),
    (Challenge.bearer(scope="urn:example:a b", error_uri="/e"), 'Bearer scope="urn:example:a b", error_uri="/e"'),
    (
        Challenge("Digest", {"realm": "r", "qop": "auth", "algorithm": "MD5", "stale": "true"}),
        'Digest realm="r", qop="auth", algorithm=MD5, stale=true',
    ),
    (Challenge("Negotiate"), "Negotiate"),
    (Challenge("Negotiate", token="oRQ/+="), "Negotiate oRQ/+="),
    (Challenge("DPoP", {"Algs": "ES256 PS256"}), 'DPoP algs="ES256 PS256"'),
)
def test_prints_challenges(challenge, printed):
    assert str(challenge) == printed
    assert Challenge.parse(printed) == challenge
    assert parse_challenges(printed) == [challenge]


@rows(
    "build",
    lambda: Challenge.basic("a\r\n"),
    lambda: Challenge.basic("€"),
    lambda: Challenge.basic(None),
    lambda: Challenge.basic("a", charset="latin-1"),
    lambda: Challenge.basic("a", charset=""),
    Challenge.bearer,
    lambda: Challenge.bearer(scope=""),
    lambda: Challenge.bearer(scope=[]),
    lambda: Challenge.bearer(scope=["a", ""]),
    lambda: Challenge.bearer(scope='a"b'),
    lambda: Challenge.bearer(scope="é"),
    lambda: Challenge.bearer(error="a\\b"),
    lambda: Challenge.bearer(error=""),
    lambda: Challenge.bearer(error_description="€"),
    lambda: Challenge.bearer(error_uri="/a b"),
    lambda: Challenge("", {"realm": "a"}),
    lambda: Challenge("Foo", {"a": "b"}, token="c"),
    lambda: Challenge("Foo", token="c|"),
)
def test_bad_challenges_cannot_be_built(build):
    with pytest.raises(ValueError, match=r"parameter|charset|scope|error|realm|algorithm|scheme|token"):
        build()


@rows(
    "header, read",
        ("", []),
        (" , ,", []),
        (
            r'Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple"',
            [
                ("newauth", None, {"realm": "apps", "type": "1", "title": 'Login to "apps"'}),
                ("basic", None, {"realm": "simple"}),
            ],
        ),
        ("Negotiate, X,Basic realm=x", [("negotiate", None, {}), ("x", None, {}), ("basic", None, {"realm": "x"})]),
        ("Negotiate abc==, Foo a==, Bar a=", [("negotiate", "abc==", {}), ("foo", "a==", {}), ("bar", "a=", {})]),
        ("Basic , realm=x", [("basic", None, {"realm": "x"})]),
        (",Basic ,, realm = x ,, charset\t=\t\"UTF-8\",", [("basic", None, {"realm": "x", "charset": "UTF-8"})]),
        ('Basic realm="a, X b=c", X d=e', [("basic", None, {"realm": "a, X b=c"}), ("x", None, {"d": "e"})]),
        ("Basic realm=a, REALM=b", [("basic", None, {"realm": "a"})]),
        ("Basic\trealm=a", [("basic", None, {"realm": "a"})]),
        ("realm=x, Basic realm=y", [("basic", None, {"realm": "y"})]),
        ("Foo abc, x=1, Bar", [("foo", "abc", {}), ("bar", None, {})]),
        ("Foo a=1, b=, c=3", [("foo", None, {"a": "1", "c": "3"})]),
        ("Foo a=1, (b), c=3", [("foo", None, {"a": "1", "c": "3"})]),
        ("Foo a=1, Bar (b), c=3", [("foo", None, {"a": "1"}), ("bar", None, {"c": "3"})]),
        ('Foo a="b" c, d="\n", e=f', [("foo", None, {"e": "f"})]),
        ('Foo a=b, Bar c="d, Basic realm=e', [("foo", None, {"a": "b"}), ("bar", None, {})]),
        ('Basic realm="a", Basic realm="b"', [("basic", None, {"realm": "a"}), ("basic", None, {"realm": "b"})]),
)  # fmt: skip
def test_reads_several_challenges(header, read):
    found = parse_challenges(header)
    assert [(challenge.scheme, challenge.token, dict(challenge.parameters)) for challenge in found] == read
    assert [challenge.realm for challenge in found] == [parameters.get("realm") for _, _, parameters in read]
    assert parse_challenges(", ".join(map(str, found))) == found


@rows("header", ["", "a=b", "Negotiate, Basic realm=a", "(a)"])
def test_one_challenge_is_one(header):
    with pytest.raises(ValueError, match="expected one challenge"):
        Challenge.parse(header)


@given(secrets.map(lambda name: name.replace(":", "")), secrets)
@example("ü", "€")
def test_any_name_and_password_come_back(username, password):
    authorization = Authorization.basic(username, password)
    again = Authorization.parse(str(authorization))
    assert (again.username, again.password) == (username, password)
    theirs = werkzeug.datastructures.Authorization.from_header(str(authorization))
    assert (theirs.username, theirs.password) == (username, password)


@given(credentials)
def test_printed_credentials_are_read_back(authorization):
    again = Authorization.parse(str(authorization))
    assert again == authorization
    assert list(again.parameters) == list(authorization.parameters)
    assert parse_challenges(str(authorization)) == [
        Challenge(authorization.scheme, authorization.parameters, token=authorization.token)
    ]


@given(st.lists(challenges, max_size=4))
def test_printed_challenges_are_read_back(several):
    printed = ", ".join(map(str, several))
    assert parse_challenges(printed) == several
    assert not any(character in printed for character in "\r\n\0")


@given(st.builds(Challenge, tokens, st.dictionaries(st.text("abcxyz", min_size=1), values, min_size=1)))
def test_werkzeug_reads_what_was_printed(challenge):
    theirs = werkzeug.datastructures.WWWAuthenticate.from_header(str(challenge))
    assert theirs.type == challenge.scheme
    assert theirs.parameters == dict(challenge.parameters)


@rows(
    "unit",
    ["a,", ",", '"', "\\", '"\\', "=", "a=", 'x="', 'x="a",', "x=a,", " ", "é,", "a b=c,", "a b,", "a ", "A", "===="],
)
def test_long_headers_are_bounded(unit):
    for start in ("Basic ", "Foo ", 'Digest a="', ""):
        header = start + unit * (100 * 1024 // len(unit))
        assert len(parse_challenges(header)) <= 200, start
        try:
            authorization = Authorization.parse(header)
        except ValueError:
            continue
        assert len(str(authorization)) <= len(header) + 2, start


def test_the_number_of_parameters_is_bounded():
    written = [f"x{number}=1" for number in range(5000)]
    assert len(Authorization.parse(f"Foo {', '.join(written[:200])}").parameters) == 200
    with pytest.raises(ValueError, match="too many"):
        Authorization.parse(f"Foo {', '.join(written[:201])}")
    assert len(Challenge.parse(f"Foo {', '.join(written)}").parameters) == 200
    assert len(parse_challenges("Foo, " * 5000)) == 200
