"""Refresh tokens: each is used once, in any process, and one that is used again ends its login."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from antiphon import App
from antiphon.features import MemoryStore, RefreshTokens, SQLiteStore, ValkeyStore
from antiphon.http import BadRequest
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def is_refused(tokens, token):
    try:
        tokens.rotate(token)
    except BadRequest as error:
        return error.members == {"error": "invalid_grant"}
    return False


@pytest.fixture(params=["memory", "sqlite", pytest.param("valkey", marks=pytest.mark.processes)])
def store(request, tmp_path, clock):
    if request.param == "memory":
        return MemoryStore(clock=clock)
    if request.param == "sqlite":
        return SQLiteStore(tmp_path / "tokens.db", clock=clock)
    return ValkeyStore(request.getfixturevalue("valkey").url, prefix=tmp_path.name)


@rows("earlier", [0, 1, 2])
def test_a_used_token_ends_its_login_and_the_log_says_so(earlier, caplog):
    tokens = RefreshTokens(MemoryStore(), grace=0)
    other = tokens.issue("ann", name="laptop")
    of_login = [tokens.issue("ann", name="phone")]
    for _ in range(3):
        of_login.append(tokens.rotate(of_login[-1]).token)
    with caplog.at_level(logging.WARNING, "antiphon"):
        assert is_refused(tokens, of_login[earlier])
    (line,) = caplog.messages
    assert "of the user 'ann' was presented again" in line
    assert "'phone' has ended" in line
    assert not any(secret in line for token in of_login for secret in token.split("."))
    assert is_refused(tokens, of_login[-1])
    assert not is_refused(tokens, other)


def test_a_client_that_got_no_response_gets_the_same_token_again(store, clock):
    tokens = RefreshTokens(store, grace=timedelta(seconds=10))
    first = tokens.issue("ann")
    second = tokens.rotate(first)
    assert [tokens.rotate(first) for _ in range(3)] == [second] * 3
    third = tokens.rotate(second.token)
    assert tokens.rotate(second.token) == third
    assert is_refused(tokens, first)  # its successor has been used
    assert is_refused(tokens, third.token)


def test_the_grace_ends(clock):
    tokens = RefreshTokens(MemoryStore(clock=clock), grace=10)
    first = tokens.issue("ann")
    second = tokens.rotate(first)
    clock.now += 11
    assert is_refused(tokens, first)
    assert is_refused(tokens, second.token)


def test_two_processes_that_use_one_token_give_one_successor(tmp_path):
    stores = [SQLiteStore(tmp_path / "tokens.db") for _ in range(2)]
    tokens = [RefreshTokens(store) for store in stores]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(20):
            first = tokens[0].issue("ann")
            found = {*threads.map(lambda number, first=first: tokens[number % 2].rotate(first).token, range(8))}
            assert len(found) == 1


def test_without_grace_one_of_several_succeeds_and_the_login_ends():
    tokens = RefreshTokens(MemoryStore(), grace=0)
    first = tokens.issue("ann")
    with ThreadPoolExecutor(8) as threads:
        outcomes = [*threads.map(lambda _: is_refused(tokens, first), range(8))]
    assert outcomes.count(False) == 1
    assert tokens.owned_by("ann") == []


def test_a_login_ends_when_it_is_not_used_and_in_any_case(clock):
    tokens = RefreshTokens(MemoryStore(clock=clock), idle=100, lifetime=250)
    unused, used = tokens.issue("ann"), tokens.issue("ann")
    for _ in range(3):
        clock.now += 80
        used = tokens.rotate(used).token
    assert is_refused(tokens, unused)
    clock.now += 20
    assert is_refused(tokens, used)


@rows("seconds", [-3600, -1])
def test_a_clock_that_is_set_back_ends_nothing(clock, seconds):
    tokens = RefreshTokens(MemoryStore(clock=clock))
    first = tokens.issue("ann")
    second = tokens.rotate(first)
    clock.now += seconds
    assert tokens.rotate(first) == second
    assert not is_refused(tokens, second.token)


def test_devices_are_listed_and_ended_one_by_one(store, clock):
    tokens = RefreshTokens(store)
    phone, bens = tokens.issue("ann", name="phone"), tokens.issue("ben")
    clock.now += 1
    laptop = tokens.issue("ann", name="laptop")
    first, second = tokens.owned_by("ann")
    assert [each.data["name"] for each in (first, second)] == ["phone", "laptop"]
    assert {*first.data} == {"name", "scopes", "used"}
    assert tokens.delete_owned("ben", only=first.id) == 0
    assert tokens.delete_owned("ann", only=first.id) == 1
    assert is_refused(tokens, phone)
    assert (tokens.revoke(laptop), tokens.revoke(laptop), tokens.revoke("x")) == (True, False, False)
    assert tokens.delete_owned("ann") == 0
    assert not is_refused(tokens, bens)


def test_the_store_has_nothing_with_which_a_token_can_be_made(tmp_path):
    store = SQLiteStore(tmp_path / "tokens.db")
    tokens = RefreshTokens(store)
    given = [tokens.issue("ann")]
    given.append(tokens.rotate(given[0]).token)
    store.close()
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not any(part.encode() in stored for token in given for part in token.split("."))


@rows("given", ["", ".", "x", "refresh_.", "refresh_x.y", "\0.\0", "\ud83d.\ud83d", "é" * 5000])
def test_strange_tokens_are_refused_and_end_nothing(given):
    tokens = RefreshTokens(MemoryStore())
    known = tokens.issue("ann")
    assert is_refused(tokens, given)
    assert not is_refused(tokens, known)


def test_owners_are_told_apart_whatever_they_contain():
    store = MemoryStore()
    tokens, others = RefreshTokens(store), RefreshTokens(store, prefix="other")
    owners = ["ann", "ann\0", "\1ann", "refresh tokens\0refresh\0ann", "other\0ann"]
    for owner in owners:
        assert is_refused(others, tokens.issue(owner))
        others.issue(owner)
    assert tokens.delete_owned("ann") == 1
    assert [len(tokens.owned_by(owner)) for owner in owners] == [0, 1, 1, 1, 1]
    assert [len(others.owned_by(owner)) for owner in owners] == [1] * 5


def test_oauth_clients_are_told_in_their_terms(interface):
    app = App(store=MemoryStore())
    tokens = RefreshTokens()
    app.use(tokens)
    app.post("/token")(lambda request: {"refresh_token": tokens.rotate(request.form["refresh_token"]).token})
    client = Client(app, interface)
    token = tokens.issue("ann")
    assert client.post("/token", form={"refresh_token": token}).json["refresh_token"] != token
    refused = client.post("/token", form={"refresh_token": "x"})
    assert (refused.status, refused.json["error"]) == (400, "invalid_grant")


@rows("make, told", [
    (lambda: RefreshTokens(idle=0), "idle must be a number above 0"),
    (lambda: RefreshTokens(grace=-1), "grace must be a number above 0"),
    (lambda: RefreshTokens(prefix="a.b"), "prefix must be text without full stops, not 'a.b'"),
    (lambda: RefreshTokens(MemoryStore()).issue("ann", scopes="read"), r"scopes must be a list: \['read'\]"),
    (lambda: RefreshTokens().issue("ann"), "RefreshTokens has no store yet"),
])  # fmt: skip
def test_mistakes_are_told(make, told):
    with pytest.raises((ValueError, TypeError, RuntimeError), match=told):
        make()


class Logins(RuleBasedStateMachine):
    """One login, of which every token that was ever given may be presented at any time."""

    def __init__(self):
        super().__init__()
        self.now = 1e9
        self.tokens = RefreshTokens(MemoryStore(clock=lambda: self.now), grace=10)
        self.given = [self.tokens.issue("ann")]
        self.used_at = {}
        self.is_over = False

    @rule(back=st.integers(0, 4), pause=st.sampled_from([0, 4, 11]))
    def present(self, back, pause):
        self.now += pause
        number = max(0, len(self.given) - 1 - back)
        newest = len(self.given) - 1
        if self.is_over:
            assert is_refused(self.tokens, self.given[number])
        elif number == newest:
            self.used_at[number] = self.now
            self.given.append(self.tokens.rotate(self.given[number]).token)
        elif number == newest - 1 and self.now < self.used_at[number] + 10:
            assert self.tokens.rotate(self.given[number]).token == self.given[newest]
        else:
            assert is_refused(self.tokens, self.given[number])
            self.is_over = True

    @invariant()
    def one_login_or_none(self):
        assert len(self.tokens.owned_by("ann")) == (not self.is_over)
        if self.is_over:
            assert all(is_refused(self.tokens, token) for token in self.given)


TestLogins = Logins.TestCase
TestLogins.settings = settings(max_examples=4 * settings.default.max_examples, stateful_step_count=20, deadline=None)
