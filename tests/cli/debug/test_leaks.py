"""No secret is shown, wherever its name tells that it is one, and wherever it stands besides."""

import json
import string
from base64 import b64encode
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon import Request, Signer
from antiphon.cli.debug.mode import _member
from antiphon.cli.debug.page import page_of, text_of
from antiphon.cli.debug.report import report_of
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

START = "Zq7"
"""The beginning of each secret, which stands nowhere else."""
ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=30)
VISIBLE = st.text(string.ascii_letters + string.digits + "-._~+/", min_size=8, max_size=30)
GET = Request.blank("/")


@dataclass
class Account:
    name: str
    password: str


@dataclass
class Sent:
    name: str
    value: str


class Settings:
    def __init__(self, secret):
        self.page_size = 10
        self.secret_key = secret


def by_variable(secret, fail):
    password = secret
    fail(password)


def by_bytes(secret, fail):
    signing_key = secret.encode()
    fail(secret)
    del signing_key


def by_attribute(secret, fail):
    config = Settings(secret)
    fail(config.secret_key)


def by_field(secret, fail):
    accounts = [Account("ada", secret)]
    fail(accounts[0].password)


def by_key(secret, fail):
    row = {"id": 1, "more": {"api-key": secret}}
    fail(row["more"]["api-key"])


def by_pair(secret, fail):
    pairs = [("x-auth-token", secret)]
    fail(pairs[0][1])


def by_what_is_in_it(secret, fail):
    credentials = {"user": "ada", "word": [secret]}
    fail(credentials["word"][0])


def by_text_in_bytes(secret, fail):
    data = b"page=1&password=" + quote_plus(secret).encode()
    fail(quote_plus(secret))
    del data


def by_tuple_with_other_values(secret, fail):
    row = (7, "password", secret)
    fail(row[2])


def by_tuple_as_key(secret, fail):
    settings = {("password", "ada"): secret}
    fail(settings["password", "ada"])


def by_field_with_name_and_value(secret, fail):
    sent = [{"name": "password", "value": secret}, Sent("api_key", secret)]
    fail(sent[0]["value"])


def by_arguments_of_an_error(secret, fail):
    lost = ValueError("password", secret)
    fail(lost.args[1])


IN_CODE = [
    by_variable, by_bytes, by_attribute, by_field, by_key, by_pair, by_what_is_in_it, by_text_in_bytes,
    by_tuple_with_other_values, by_tuple_as_key, by_field_with_name_and_value, by_arguments_of_an_error,
]  # fmt: skip


def with_parameter(secret):
    request = Request.blank(f"/reset/{quote(secret)}")
    request.path_params = {"token": secret}
    return request


IN_REQUESTS = {
    "bearer": lambda secret: Request.blank("/", headers={"authorization": f"Bearer {secret}"}),
    "basic": lambda secret: Request.blank(
        "/", headers={"authorization": f"Basic {b64encode(f'ada:{secret}'.encode()).decode()}"}
    ),
    "key": lambda secret: Request.blank("/", headers={"x-subscription-key": secret}),
    "parameter": with_parameter,
    "header": lambda secret: Request.blank("/", headers={"X-Api-Key": secret}),
    "cookie": lambda secret: Request.blank("/", headers={"cookie": f"theme=dark; session={secret}"}),
    "other cookie": lambda secret: Request.blank("/", headers={"cookie": f"theme={secret}0123456789"}),
    "query": lambda secret: Request.blank(f"/?page=2&access_token={quote_plus(secret)}"),
    "referrer": lambda secret: Request.blank("/", headers={"referer": f"http://a/?token={quote_plus(secret)}"}),
    "form": lambda secret: Request.blank(
        "/", "POST", {"content-type": "application/x-www-form-urlencoded"}, f"password={quote_plus(secret)}".encode()
    ),
    "code": lambda secret: Request.blank(f"/?code={quote_plus(secret)}"),
    "certificate": lambda secret: Request.blank("/", headers={"client-cert": secret}),
    "name and value": lambda secret: Request.blank(
        "/", "POST", {"content-type": "application/json"}, json.dumps([{"id": "passcode", "text": secret}]).encode()
    ),
    "link": lambda secret: Request.blank(f"/magic/{quote(secret, safe='')}"),
    "JSON": lambda secret: Request.blank(
        "/", "POST", {"content-type": "application/json"}, json.dumps({"user": {"apiKey": secret}}).encode()
    ),
}


def fail_with(secret):
    """Fail with a secret in the message, in the notes, in other variables, and in the cause."""
    value, data, long = secret, secret.encode(), "x" * 290 + secret
    nested = [{"value": [secret, (value,)]}, json.dumps({"value": secret})]
    error = LookupError(f"lost {secret}, {[secret]!r}, {secret.encode()!r}")
    error.add_note(f"{nested} {escape(secret)}")
    error.add_note(f"/path?q={quote_plus(secret)}")
    raise ExceptionGroup(long[250:], [error, ValueError(data)]) from KeyError(secret)


def check_nothing_leaks(secret, request, function):
    with pytest.raises(ExceptionGroup) as raised:
        function(secret, fail_with)
    report = report_of(raised.value, request)
    page, text = page_of(report).decode(), text_of(report)
    member = json.dumps(_member(report), ensure_ascii=False)
    assert "[masked]" in text
    for shown in (page, unescape(page), text, member):
        assert START not in shown


@pytest.mark.parametrize("function", IN_CODE, ids=lambda function: function.__name__)
@settings(max_examples=max(1, settings.default.max_examples // 4))
@given(secret=ANY)
def test_a_secret_of_the_code(function, secret):
    check_nothing_leaks(START + secret.strip() + "!", GET, function)


@pytest.mark.parametrize("place", IN_REQUESTS)
@settings(max_examples=max(1, settings.default.max_examples // 6))
@given(secret=VISIBLE)
def test_a_secret_of_the_request(place, secret):
    request = IN_REQUESTS[place](START + secret)
    check_nothing_leaks(START + secret, request, lambda value, fail: fail(value))


def test_a_secret_of_the_environment(monkeypatch):
    secret = f"{START}opensesame"
    monkeypatch.setenv("SHOP_SECRET_KEY", secret)
    check_nothing_leaks(secret, GET, lambda value, fail: fail(value))


def test_a_secret_key_in_use_whatever_its_variable_is_named():
    key = f"{START} the newest of all"
    signer = Signer([key], salt="orders")
    check_nothing_leaks(key, GET, lambda value, fail: fail(f"{value}{signer and ''}"))


def test_one_of_several_secrets(monkeypatch):
    secret = f"{START}opensesame0123456789"
    monkeypatch.setenv("SECRET_KEYS", f"abcdefghijklmnopqrstuvwxyz {secret}")
    check_nothing_leaks(secret, GET, lambda value, fail: fail(value))


def test_the_password_in_a_secret_url(monkeypatch):
    secret = f"{START}open/sesame"
    monkeypatch.setenv("DATABASE_URL", f"postgres://ada:{quote(secret, safe='')}@db/shop")
    check_nothing_leaks(secret, GET, lambda value, fail: fail(value))


KEY = f"-----BEGIN PRIVATE KEY-----\n{START}\n-----END PRIVATE KEY-----"


@rows(
    "code, masked",
    (f"API_KEY = '{START}opensesame'", "API_KEY = '[masked]'"),
    (f"key = '''{KEY}'''", "key = '''[masked]"),
    (f"password = ('''\n{'more' * 9}\n{START}''')", ""),
    (f"{'x' * 490} = password = '{START}opensesame'", ""),
    (f"dsn = 'postgres://ada:{START}@db'", "dsn = '[masked]'"),
)
def test_a_literal_in_the_code(tmp_path, monkeypatch, code, masked):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "shop.py"
    path.write_text(f"{code}\nraise LookupError('lost')\n")
    with pytest.raises(LookupError) as raised:
        exec(compile(path.read_text(), str(path), "exec"), {})
    text = text_of(report_of(raised.value, None))
    assert masked in text
    assert START not in text
