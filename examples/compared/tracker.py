"""Tickets, and the people who write them, shared by the five applications."""

from dataclasses import dataclass
from hmac import compare_digest
from itertools import count, islice
from typing import Literal

Priority = Literal["low", "normal", "high"]
State = Literal["open", "closed"]


@dataclass
class NewTicket:
    """The fields of a ticket that a client sends."""

    title: str
    priority: Priority = "normal"


@dataclass
class Ticket:
    number: int
    title: str
    priority: Priority
    author: str
    state: State = "open"


@dataclass
class User:
    name: str
    password: str  # a real application keeps hashes


class Tracker:
    """All tickets, in memory: the frameworks are compared, not their databases."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._tickets: dict[int, Ticket] = {}
        self._users = {"Ada": User("Ada", "an oboe in the rain")}

    def user(self, name: str) -> User | None:
        return self._users.get(name)

    def check(self, name: str, password: str) -> User | None:
        """Return the user if the password is right."""
        user = self.user(name)
        return user if user and compare_digest(user.password.encode(), password.encode()) else None

    def add(self, title: str, priority: Priority, author: str) -> Ticket:
        ticket = Ticket(next(self._numbers), title, priority, author)
        self._tickets[ticket.number] = ticket
        return ticket

    def find(self, number: int) -> Ticket | None:
        return self._tickets.get(number)

    def list(self, state: State = "open", limit: int = 20) -> list[Ticket]:
        return [*islice((ticket for ticket in self._tickets.values() if ticket.state == state), limit)]
