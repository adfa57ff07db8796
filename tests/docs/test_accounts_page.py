"""The page on accounts: its links tell strangers nothing, work once, and lead to no host but the app's own."""

import re
from pathlib import Path

import pytest

from antiphon.testing import Client

PAGE = (Path(__file__).parents[2] / "docs/how-to/accounts.md").read_text()
(PROGRAM,) = re.findall(r"^```python\n(# shop.py\n.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET_KEYS", "a-key-that-a-reader-makes-anew")

    def make(program=PROGRAM):
        names: dict = {"__name__": "shop"}
        exec(program, names)
        return Client(names["app"], base_url="http://localhost", raise_errors=program is not PROGRAM)

    return make


def mails():
    file = Path("mails.txt")
    return file.read_text().splitlines() if file.exists() else []


def link_in(mail):
    return re.search(r"http://localhost(\S+)", mail)[1]


def test_known_and_unknown_addresses_get_the_same(shop):
    client = shop()
    client.post("/start", form={"email": "ada@example.com"})
    client.post(link_in(mails()[-1]), form={"password": "an oboe in the rain"})
    known, unknown = (client.post("/start", form={"email": f"{name}@example.com"}) for name in ("ada", "bob"))
    assert (known.status, known.text, known.headers.keys()) == (200, unknown.text, unknown.headers.keys())
    shown = [re.sub("token=.*|ada|bob", "", mail) for mail in mails()]
    assert len(shown) == 3
    assert len({*shown}) == 1


def test_a_link_that_was_not_used_ends_with_the_password_that_another_one_sets(shop):
    client = shop()
    for _ in range(2):
        client.post("/start", form={"email": "ada@example.com"})
    first, second = map(link_in, mails())
    assert client.post(second, form={"password": "an oboe in the rain"}).status == 200
    assert [client.get(link).status for link in (first, second)] == [410, 410]


def test_no_mail_has_a_link_to_the_host_of_a_stranger(shop):
    client = shop()
    for host in ("evil.example", "localhost.evil.example", "localhost@evil.example"):
        refused = client.post("/start", form={"email": "ada@example.com"}, headers={"host": host})
        assert refused.status in (400, 421)
    assert mails() == []


def test_without_trusted_hosts_it_is_an_error_that_names_them(shop):
    client = shop(PROGRAM.replace(', trusted_hosts=["localhost"]', ""))
    with pytest.raises(RuntimeError, match="trusted_hosts"):
        client.post("/start", form={"email": "ada@example.com"}, headers={"host": "evil.example"})
    assert mails() == []


@pytest.mark.parametrize("address", ["", "é\0", "\ud800", "x" * 10_000, "a@b.example, eve@c.example", "a@b.example\n"])
def test_a_strange_address_gets_no_mail(shop, address):
    body = b"email=" + address.encode("utf-8", "surrogatepass")
    found = shop().post("/start", body=body, content_type="application/x-www-form-urlencoded")
    assert (found.status in (400, 422), mails()) == (True, [])
