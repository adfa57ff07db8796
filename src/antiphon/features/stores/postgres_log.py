"""Channels in PostgreSQL: a table keeps the messages, and a notice (NOTIFY) wakes the reader of each process.

A notice has at most 7,999 bytes and is lost with its connection, so it has only the hash of a channel's name, and the
reader looks at all channels after each connection and once in every LONGEST_WATCH. A channel's row is locked while a
message is added, so messages become visible in order. The epoch changes with the server's timeline, which a failover
begins and in which messages may be missing. The numbering continues.
"""

import logging
from collections.abc import Iterable
from functools import lru_cache
from threading import Event
from typing import TYPE_CHECKING, Any

from antiphon.features import StoreUnavailable
from antiphon.features.stores import ChannelLog, Entry, Position, hash_key, unavailable
from antiphon.features.stores.postgres import NOW, PostgresStore

if TYPE_CHECKING:
    from antiphon.features.stores.postgres_connections import Connection, Row

POLL_EVERY = 0.2
"""The seconds between looks at all channels behind a pooler, through which no notice comes."""

WAKE = "wake"
"""The notice with which a process wakes its own reader."""

_TIMELINE = "coalesce(('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int, 0)"
_APPEND = f"""
with now as (select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms, {_TIMELINE} as timeline),
head as (
    insert into {{s}}.channels as c (name, epoch, number, timeline) select %(name)s, ms, 1, timeline from now
    on conflict (name) do update set number = c.number + 1, timeline = excluded.timeline, epoch = case
        when c.timeline = excluded.timeline then c.epoch else greatest(c.epoch + 1, excluded.epoch) end
    returning epoch, number),
added as (insert into {{s}}.messages select %(name)s, epoch, number, %(data)s from head),
gone as (delete from {{s}}.messages where name = %(name)s and number <= (select number from head) - %(keep)s)
select epoch, number, pg_notify(%(topic)s, %(notice)s) from head"""  # noqa: S608 - our own names
_TAIL = (
    "select epoch, number, data from {s}.messages where name = %(name)s order by epoch desc, number desc limit %(most)s"
)
_AFTER = f"""
select k.name, m.epoch, m.number, m.data
from unnest(%(names)b::bytea[], %(epochs)s::bigint[], %(numbers)s::bigint[]) as k (name, epoch, number)
cross join lateral (select * from {{s}}.messages as m
    where m.name = k.name and (m.epoch, m.number) > (k.epoch, k.number) order by epoch, number
    limit {ChannelLog.MOST_READ}) as m
order by k.name, m.epoch, m.number"""  # noqa: S608
_EXPIRE = f"""
with gone as (delete from {{s}}.channels where name in (select name from {{s}}.channels
    where expires <= {NOW} and name <> %(name)s limit 16 for update skip locked) returning name),
forgotten as (delete from {{s}}.messages where name in (select name from gone))
update {{s}}.channels set expires = {NOW} + %(seconds)s where name = %(name)s"""  # noqa: S608
_FORGET = """
with gone as (delete from {s}.channels where name = %(name)s)
delete from {s}.messages where name = %(name)s"""
_RENEW = f"""
with gone as (delete from {{s}}.members where ctid = any (array(select ctid from {{s}}.members
    where name = %(name)s and expires <= {NOW} and token <> %(token)s for update skip locked)))
insert into {{s}}.members select %(name)s, member, %(token)s, {NOW} + %(ttl)s
from unnest(%(members)b::bytea[]) as member
on conflict (name, member, token) do update set expires = excluded.expires"""  # noqa: S608
_WITHDRAW = "delete from {s}.members where name = %(name)s and token = %(token)s and member = %(member)s"
_MEMBERS = f"select member from {{s}}.members where name = %(name)s and expires > {NOW}"  # noqa: S608


@lru_cache(10_000)
def _notice(name: str) -> str:
    return hash_key(name).hex()


class PostgresLog(ChannelLog):
    """The messages and members of channels in a store's database."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._database = store._database
        self.place = store._place
        self._topic = f"{self._database.schema}_channels"
        self._listening: Connection | None = None
        self._polls = self._has_told = False
        self._woken = Event()
        self._is_behind = True
        """True if the next look must include all channels, and not only those of notices."""

    def append(self, name: str, keep: int, data: bytes) -> Position:
        values = {"name": name.encode(), "data": data, "keep": keep, "topic": self._topic, "notice": _notice(name)}
        [(epoch, number, _)] = self._run(_APPEND, values)
        if self._polls:
            self._woken.set()
        return Position(epoch, number)

    def tail(self, name: str, most: int) -> list[Entry]:
        found = self._run(_TAIL, {"name": name.encode(), "most": most}, reads=True)
        return [Entry(Position(epoch, number), data) for epoch, number, data in reversed(found)]

    def after(self, name: str, position: Position | None) -> list[Entry]:
        return self._after({name: position}).get(name, [])

    def _after(self, positions: ChannelLog.Positions) -> dict[str, list[Entry]]:
        known = [position or (0, 0) for position in positions.values()]
        values = {
            "names": [name.encode() for name in positions],
            "epochs": [epoch for epoch, _ in known],
            "numbers": [number for _, number in known],
        }
        found: dict[str, list[Entry]] = {}
        for name, epoch, number, data in self._run(_AFTER, values, reads=True):
            found.setdefault(name.decode(), []).append(Entry(Position(epoch, number), data))
        return found

    def watch(self, positions: ChannelLog.Positions) -> dict[str, list[Entry]]:
        try:
            if self._listening is None and not self._polls:
                self._listen()
            if not self._is_behind:
                positions = self._awaited(positions)
            found = self._after(positions) if positions else {}
        except StoreUnavailable:
            self.close()
            raise
        self._is_behind = any(len(entries) == self.MOST_READ for entries in found.values())
        return found

    def _listen(self) -> None:
        self._is_behind = True
        self._listening = self._database.listen(self._topic)
        self._polls = self._listening is None
        if self._polls and not self._has_told:
            self._has_told = True
            logging.getLogger("antiphon").warning(
                "a pooler such as PgBouncer is before %s, so channels look for messages every %s seconds instead of"
                " waiting for them (LISTEN): give the store a URL that leads to the server itself",
                self._database.name, POLL_EVERY,
            )  # fmt: skip

    def _awaited(self, positions: ChannelLog.Positions) -> ChannelLog.Positions:
        """Wait, and return the positions of the channels to look at."""
        import psycopg

        if self._listening is None:
            self._woken.wait(POLL_EVERY)
            self._woken.clear()
            return positions
        try:
            heard = {each.payload for each in self._listening.notifies(timeout=self.LONGEST_WATCH, stop_after=1)}
        except psycopg.Error as error:
            raise unavailable(self._database.name, error) from error
        if not heard or WAKE in heard:
            return positions
        return {name: position for name, position in positions.items() if _notice(name) in heard}

    def interrupt(self) -> None:
        self._woken.set()
        if not self._polls:
            self._run("select pg_notify(%(topic)s, %(notice)s)", {"topic": self._topic, "notice": WAKE})

    def close(self) -> None:
        listening, self._listening = self._listening, None
        self._polls = False
        if listening is not None:
            listening.close()

    def expire(self, name: str, seconds: float) -> None:
        self._run(_EXPIRE if seconds > 0 else _FORGET, {"name": name.encode(), "seconds": seconds})

    def renew(self, name: str, token: str, members: Iterable[str], ttl: float) -> None:
        # In order, or two renewals of the same members could wait for each other.
        values = {"name": name.encode(), "token": token, "ttl": ttl, "members": sorted(map(str.encode, members))}
        self._run(_RENEW, values)

    def withdraw(self, name: str, token: str, member: str) -> None:
        self._run(_WITHDRAW, {"name": name.encode(), "token": token, "member": member.encode()})

    def members(self, name: str) -> list[str]:
        return [member.decode() for (member,) in self._run(_MEMBERS, {"name": name.encode()}, reads=True)]

    def _run(self, statement: str, values: dict[str, Any], *, reads: bool = False) -> "list[Row]":
        return self._database.run(statement, values, self._store._clock, reads=reads)
