"""The page on signed links: its password reset tells strangers nothing, and mails links to no host but its own."""

import re
from pathlib import Path
from threading import Event

import pytest

from antiphon.testing import Client
from tests.helpers.waiting import eventually

PAGE = (Path(__file__).parents[2] / "docs/how-to/signed-links.md").read_text()
SECTION = PAGE[PAGE.index("## Password reset") :]
(CODE,) = re.findall(r"^```python\n(.*?)^with Client\(app\).*?^```$", SECTION, re.MULTILINE | re.DOTALL)


class SlowMails(list):
    """Mails of which each takes long to send: until the test lets them go."""

    def __init__(self):
        self.may_go = Event()
        self.were_waited_for = []

    def append(self, mail):
        self.were_waited_for.append(not self.may_go.wait(3))
        super().append(mail)


@pytest.fixture
def page():
    names: dict = {"__name__": "shop"}
    exec(CODE, names)
    names["mails"] = SlowMails()
    return names


@pytest.mark.axes("interface")
def test_neither_this_request_nor_the_next_one_waits_for_the_mail(page, interface):
    with Client(page["app"], interface) as client:
        known, unknown = (
            client.post("/forgotten", form={"address": address}) for address in ("ada@example.com", "bob@example.com")
        )
        page["mails"].may_go.set()
    assert (known.status, known.text, known.headers.keys()) == (200, unknown.text, unknown.headers.keys())
    eventually(lambda: len(page["mails"]) == 1 or None, "the mail is not sent")  # over WSGI, the thread goes on
    assert page["mails"].were_waited_for == [False]


def test_no_mail_has_a_link_to_the_host_of_a_stranger(page):
    page["mails"].may_go.set()
    with Client(page["app"]) as client:
        for host in ("evil.example", "shop.example.com.evil.example", "shop.example.com@evil.example"):
            refused = client.post("/forgotten", form={"address": "ada@example.com"}, headers={"host": host})
            assert refused.status in (400, 421)
    assert page["mails"] == []


def test_without_trusted_hosts_it_is_an_error_that_names_them():
    names: dict = {"__name__": "shop"}
    exec(re.sub(r"trusted_hosts=\[.*?\],", "", CODE), names)
    with Client(names["app"], raise_errors=True, base_url="http://evil.example") as client:
        with pytest.raises(RuntimeError, match="trusted_hosts"):
            client.post("/forgotten", form={"address": "ada@example.com"})
    assert names["mails"] == []


@pytest.mark.parametrize("address", ["", "é\0", "\ud800", "x" * 10_000, "Ada@example.com"])
def test_a_strange_address_is_one_that_is_not_known(page, address):
    page["mails"].may_go.set()
    with Client(page["app"]) as client:
        found = client.post(
            "/forgotten",
            body=b"address=" + address.encode("utf-8", "surrogatepass"),
            content_type="application/x-www-form-urlencoded",
        )
        assert (found.status, page["mails"]) == (200, [])
