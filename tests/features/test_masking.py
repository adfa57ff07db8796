"""Names of secrets, and text without them."""

import json
import re
import shlex
from html import escape
from urllib.parse import quote, quote_plus
from weakref import WeakSet

import pytest

from antiphon.features.masking import MASK, Mask
from antiphon.features.secret_names import is_secret_name
from antiphon.serialization import signing
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def _only_own_keys(monkeypatch):
    """Have no keys of other tests' apps masked inside of these texts."""
    monkeypatch.setattr(signing, "_in_use", WeakSet())


WIDE = {code: code + 0xFEE0 for code in range(ord("A"), ord("z") + 1)}
"""Full-width letters, as they are beside Japanese ones."""
SECRET = [
    "password", "PASSWORD", "user_password", "userPassword", "passwd", "pwd", "passphrase", "secret", "SECRET_KEY",
    "client_secret", "token", "accessToken", "csrf_token", "X-CSRF-Token", "XSRF-TOKEN", "api_key", "apikey",
    "X-API-Key",    "authorization", "Proxy-Authorization", "auth", "cookie", "Set-Cookie", "session", "sessionid",
    "credit_card", "card_number", "cardNumber", "cvv", "iban", "private_key", "privateKey", "signing_key", "dsn",
    "SENTRY_DSN", "database_url", "DATABASE_URL", "db_url", "conninfo", "credentials", "jwt", "salt", "pin", "otp",
    "passcode", "passkey", "totp", "mfa", "mfa_code", "2fa", "verification_code", "verificationCode", "one-time-code",
    "client_assertion", "SAMLResponse", "passwort", "mot_de_passe", "motDePasse", "contraseña", "пароль",
    "Authentication", "X-Authentication", "Client-Cert", "X-SSL-Cert", "X-Forwarded-Client-Cert", "recovery_code",
    "PUK", "security_answer", "social_security_number", "accountNumber", "seed_phrase", "seedPhrase", "activation_code",
    "code_verifier", "wifi_key", "WiFiKey", "SSH-Key", "device code",
    "password".translate(WIDE), "ApiKey".translate(WIDE), "\N{MATHEMATICAL BOLD SMALL P}assword",
]  # fmt: skip
INNOCENT = [
    "name", "key", "keys", "path", "author", "authors", "compass", "passenger", "spin", "pinned", "option", "saltwater",
    "monkey", "user", "url", "id", "host", "bypass", "wordsnake", "basin", "assistant", "", "_", "7",
]  # fmt: skip


@rows("name", SECRET)
def test_a_name_of_a_secret(name):
    assert is_secret_name(name)


@rows("name", INNOCENT)
def test_a_name_of_no_secret(name):
    assert not is_secret_name(name)


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
TEXTS = [
    ("('password', 'abc')", "('password', '[masked]')"),
    ("[(b'x-api-key', b'abc'), (b'te', b'x')]", "[(b'x-api-key', '[masked]'), (b'te', b'x')]"),
    ("auth=('ada', 'abc') failed", "auth=[masked] failed"),
    ("Bearer 0123abcd.ef", "Bearer [masked]"),
    ("authorization was bearer abcdefghijkl today", "authorization was bearer [masked] today"),
    ("Basic YWRhOmh1bnRlcg==", "Basic [masked]"),
    ("basic arithmetic", "basic arithmetic"),
    ("the bearer of news", "the bearer of news"),
    (f"got {JWT}!", "got [masked]!"),
    ("postgres://ada:hunter2@db/shop", "postgres://[masked]@db/shop"),
    ("postgres://ada:p@ss/w:rd@db/shop", "postgres://[masked]@db/shop"),
    ("redis://:hunter2@cache:6379/0", "redis://[masked]@cache:6379/0"),
    ("https://shop.example:8000/@ada", "https://shop.example:8000/@ada"),
    ("mail ada@shop.example:25", "mail ada@shop.example:25"),
    ("/login?next=/&token=abc&page=2", "/login?next=/&token=[masked]&page=2"),
    ("host=db password=hunter2 user=ada", "host=db password=[masked] user=ada"),
    ("password: hunter2", "password: [masked]"),
    ("password: 'two words'", "password: '[masked]'"),
    ('{"apiKey": "abc", "page": 1}', '{"apiKey": "[masked]", "page": 1}'),
    (r'{"token": "a\"b", "page": 1}', '{"token": "[masked]", "page": 1}'),
    ("Config(name='shop', secret='abc')", "Config(name='shop', secret='[masked]')"),
    ("invalid token: expected three parts", "invalid token: expected three parts"),
    ("KeyError: 'password'", "KeyError: 'password'"),
    ("access_code=abc4711 security-answer: 'Rex'", "access_code=[masked] security-answer: '[masked]'"),
    ('{"path": "/user/password", "value": "abc"}', '{"path": "/user/password", "value": "[masked]"}'),
    ("{'path': '/ssh_key', 'value': 4711}", "{'path': '/ssh_key', 'value': [masked]}"),
    ("it is password=abc".translate(WIDE), "[masked]"),
    ("half ½ is wide=abc",) * 2,
    ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nx", "[masked]\n\n\nx"),
    ("-----BEGIN PRIVATE KEY-----\nMIIE", "[masked]\n"),
    ("sk_live_0123456789abcdef", "[masked]"),
    ("ghp_0123456789abcdefghij0123", "[masked]"),
    ("card 4111 1111 1111 1111.", "card [masked]."),
    ("order 4111 1111 1111 1112.", "order 4111 1111 1111 1112."),
    ("request 1412573541042467fa15a517e486a4f0", "request 1412573541042467fa15a517e486a4f0"),
    ("pan1412573541042467fa15a517e486a4f", "pan[masked]fa15a517e486a4f"),
    ("2026-11-22 01:25:36.123456", "2026-11-22 01:25:36.123456"),
    ("", ""),
    ("a lone \udc80", "a lone ?"),
]


KEYS = [
    "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", "ya29.a0AfH6SMBx1234567890abcdef",
    "GOCSPX-abcdEFGH1234ijklMNOP5678qrst", "npm_abcdefghijklmnopqrstuvwxyz0123456789", "hf_abcdefghijklmnopqrstuvw",
    "shpat_0123456789abcdef0123456789abcdef", f"dop_v1_{'0123456789abcdef' * 4}", f"SK{'0123456789abcdef' * 2}",
    "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "xapp-1-A0123-0123-abcdef0123456789", "0123456789abcdef" * 4,
    "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=", "9Vb1jvQm-2Zk7rXw_EwT5yPq0NcLhGsA3uFdYoIxKzM",
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
]  # fmt: skip
"""Keys of services, and random ones, which are masked in variables of any name."""
PUBLIC = [
    "/home/Ada1/projects2024/site-packages/FooBar12/__init__.py", "test_HTTP2_frames_of_RFC9113_are_readable",
    "0f8fad5b-d9cd-469f-a165-70867728950e", "3ff9edbda504803b21bd4c30852bad46", "2026-11-25T02:31:40.123456+00:00",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
]  # fmt: skip


@rows("key", KEYS)
def test_a_key_in_a_variable_of_any_name(key):
    assert Mask().text(f"value {key} was sent") == f"value {MASK} was sent"
    assert Mask().code(f'value = "{key}"') == f'value = "{MASK}"'


@rows("text", PUBLIC)
def test_what_looks_like_a_key_but_is_none(text):
    assert Mask().text(text) == text


@rows("text, masked", TEXTS)
def test_a_text(text, masked):
    assert Mask().text(text) == masked


CODE = [
    ('API_KEY = "abc"', 'API_KEY = "[masked]"'),
    ("password: str = 'abc'", "password: str = '[masked]'"),
    ('connect(user="ada", password="abc")', 'connect(user="ada", password="[masked]")'),
    ('connect(password, user="ada")',) * 2,
    ('{"token": b"abc", "page": 1}', '{"token": "[masked]", "page": 1}'),
    ('os.environ["SECRET_KEY"] = "abc"', 'os.environ["SECRET_KEY"] = "[masked]"'),
    ('password = request.form["password"]', 'password = request.form["password"]'),
    ("if token == expected:", "if token == expected:"),
    ('data = b"page=1&password=opensesame"', 'data = b"page=1&password=[masked]"'),
    ('auth = ("ada", "abc")', 'auth = ("[masked]", "[masked]")'),
    ('name, password = "ada", "abc"', 'name, password = "[masked]", "[masked]"'),
    (
        'password = (\n    "abc"\n    "def"\n)\nname = "ada"',
        'password = (\n    "[masked]"\n    "[masked]"\n)\nname = "ada"',
    ),
    (
        'fields = [(b"x-api-key", b"abc"), (b"te", b"trailers")]',
        'fields = [(b"x-api-key", "[masked]"), (b"te", b"trailers")]',
    ),
    ('App(secret_keys=["abc", "def"], name="shop")', 'App(secret_keys=["[masked]", "[masked]"], name="shop")'),
    ('password: Final[str] = "abc"', 'password: Final[str] = "[masked]"'),
    ('password = env("PASSWORD", "abc")', 'password = env("PASSWORD", "[masked]")'),
    ('password = field(default="abc")', 'password = field(default="[masked]")'),
    ('if password == "abc" or "def" == token:', 'if password == "[masked]" or "[masked]" == token:'),
    ('session["cart"] = ["tea"]', 'session["cart"] = ["tea"]'),
    ('if session.get("user") is None: raise LookupError("no user")',) * 2,
    ('"tea", secret="abc")\nname = "ada"', '"tea", secret="[masked]")\nname = "ada"'),
    ('x = 1  # password = "abc", it\'s', 'x = 1  # password = "[masked]", it\'s'),
    ("def login(password: str, token=None):", "def login(password: str, token=None):"),
    ('password = """several\nlines""" + x', 'password = """[masked]"""\n + x'),
    ('password = """several', 'password = """[masked]"""'),
    ("password = 'no end\nx", "password = '[masked]'\nx"),
    ("key = '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----'", "key = '[masked]\n\n'"),
]


@rows("code, masked", CODE)
def test_source_code_keeps_all_but_literals(code, masked):
    assert Mask().code(code) == masked


@rows("written", ["it was {}", "'{}'", "/path?q={}&r=1", "a{}b"], ids=["plain", "quoted", "in a URL", "within a word"])
@rows("secret", [
    "opensesame", "it's\\ \tso", "ü&<ö>%20!", "open\\Ãsesame", "Zq7000000\\&!", "пароль", "a\\x41 b\U0001d7d9",
    "100%ab&lt",
])  # fmt: skip
def test_a_secret_is_masked_wherever_it_stands(secret, written):
    mask = Mask()
    mask.add(secret)
    assert mask.text(written.format(secret)) == written.format(MASK)
    for write in WRITERS:
        for form in (write(secret), *(write(other(secret)) for other in WRITERS)):
            shown = mask.text(written.format(form))
            assert MASK in shown, form
            assert not any(run in shown.replace(MASK, "") for run in re.findall(r"[^\W_]{3,}", secret)), form


WRITERS = [
    repr, json.dumps, ascii, escape, quote, quote_plus, lambda each: repr(each.encode()), lambda each: f"{[each]!r}",
    lambda each: each.encode("ascii", "xmlcharrefreplace").decode(), shlex.quote,
]  # fmt: skip


@rows("text, masked", [("concatenate 12345", None), ("the cat", "the [masked]"), ("no 1234.", "no [masked].")])
def test_a_short_secret_is_masked_as_a_word(text, masked):
    mask = Mask()
    for secret in ("cat", "1234", "12", "true"):
        mask.add(secret)
    assert mask.text(f"{text} is true 12") == f"{masked or text} is true 12"
    assert mask.text("q=%22b%271234%27%22") == MASK


def test_the_secrets_of_the_environment_are_known(monkeypatch):
    monkeypatch.setenv("SHOP_SECRET_KEY", "opensesame")
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    monkeypatch.setenv("SECRETS_FOLDER", "/run/secrets")
    assert Mask().text("opensesame, wayland, /run/secrets") == "[masked], wayland, /run/secrets"


@pytest.mark.parametrize(
    "text",
    [
        "a" * 20_000,
        "password" * 2_000,
        "password=" * 2_000,
        "://a:" * 2_000,
        "'" * 20_000,
        "a=" * 2_000,
        "(" * 2_000,
        "aA1-" * 2_000,
        "password,'" * 2_000,
    ],
)
def test_a_long_text_takes_linear_time(text):
    assert len(Mask().text(text)) <= 20_000
    assert len(Mask().code(text)) <= len(text)
