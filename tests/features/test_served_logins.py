"""Logins in two processes of an app, on ports of their own: what happens on one counts on the other."""

from contextlib import ExitStack, closing
from urllib.parse import urlencode

import pytest
from redis import Redis

from antiphon.http import SetCookie
from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest

pytestmark = [pytest.mark.once, pytest.mark.processes]

APP = "tests.helpers.served.logins:app"
RUN = "-m", "antiphon", "run", "{app}", "--port", "{port}"
FORM = "Content-Type", "application/x-www-form-urlencoded"


class Browser:
    """One visitor, with cookies, on several servers."""

    def __init__(self):
        self.cookies = {}

    def send(self, server, method, target, **form):
        fields = [("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))]
        body = urlencode(form).encode() if form else None
        answer = server.respond(SentRequest(method, target, fields + [FORM] * bool(form), body))
        for name, value in answer.fields:
            if name.lower() == "set-cookie":
                cookie = SetCookie.parse(value)
                self.cookies.pop(cookie.name, None)
                if cookie.max_age != 0:
                    self.cookies[cookie.name] = cookie.value
        return answer

    def log_in(self, server, name="Ada"):
        assert self.send(server, "POST", "/login", name=name).status == 303

    def greeting(self, server):
        answer = self.send(server, "GET", "/account")
        return answer.body.decode().partition("<p>")[2].partition("<form")[0] if answer.status == 200 else None


def test_keys_that_rotate_while_servers_restart_log_nobody_out(monkeypatch):
    """Each server is replaced by one with the next keys: until all are, both kinds answer the same visitors."""
    old, new = "o" * 16, "n" * 16
    with ExitStack() as stack:
        servers = []
        for keys in (old, f"{old} {new}", f"{new} {old}"):
            monkeypatch.setenv("KEYS", keys)
            servers.append(stack.enter_context(ServerProcess(RUN, APP)))
        visitor, links = Browser(), []
        visitor.log_in(servers[0])
        seen = []
        for pair in (servers[:2], servers[1:]):
            for server in pair * 2:
                seen.append(visitor.greeting(server))
                links.append(visitor.send(server, "GET", "/link").body.decode())
                assert {visitor.send(each, "GET", link).status for each in pair for link in links} == {200}
        assert seen == [f"Hello, Ada. Visit {number}." for number in range(1, 9)]


def test_clients_that_send_a_form_slowly_are_logged_in_and_those_that_leave_are_not(valkey, monkeypatch):
    monkeypatch.setenv("STORE", valkey.url)
    form = urlencode({"name": "Ada"}).encode()
    request = SentRequest("POST", "/login", [FORM], form)
    with ServerProcess(RUN, APP) as server, closing(Redis.from_url(valkey.url)) as store, server.connect() as slow:
        before = {*store.keys("antiphon:e:*")}
        slow.send(request.head)
        for sent in range(len(form)):
            with server.connect() as leaving:
                leaving.send(request.head + form[:sent])
                leaving.reset()
            slow.send(form[sent : sent + 1])
        assert slow.receive("POST").status == 303
        visitor = Browser()
        visitor.log_in(server)
        assert visitor.greeting(server) == "Hello, Ada. Visit 1."
        assert len({*store.keys("antiphon:e:*")} - before) == 2  # those of other tests may expire
