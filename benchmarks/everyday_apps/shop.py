"""What the applications share: a database, a template, a thousand rows, and the total of an order."""

import atexit
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

FOLDER = Path(__file__).parent / "templates"
KEY = "k" * 32
NAMES = [f"Lamp no. {number} <brass & glass>" for number in range(1, 51)]


class Base(DeclarativeBase):
    pass


class Lamp(Base):
    __tablename__ = "lamps"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[float]
    is_new: Mapped[bool]


@cache
def engine() -> Engine:
    """A database of this process, which goes with it."""
    file = NamedTemporaryFile(prefix="lamps-", suffix=".db")  # noqa: SIM115 - closed, and removed, at exit
    atexit.register(file.close)
    made = create_engine(f"sqlite:///{file.name}")
    Base.metadata.create_all(made)
    with Session(made) as session:
        session.add_all(
            Lamp(name=name, price=9.5 + number, is_new=number % 7 == 0) for number, name in enumerate(NAMES)
        )
        session.commit()
    return made


def lamps() -> list[Lamp]:
    with Session(engine()) as session:
        return list(session.scalars(select(Lamp).order_by(Lamp.id)))


@dataclass
class Row:
    id: int
    name: str
    price: float
    is_new: bool
    tags: list[str]


ROWS = [Row(number, f"Row {number}", number / 4, number % 7 == 0, ["brass", "glass"]) for number in range(1000)]


@dataclass
class Item:
    name: str
    price: float
    count: int


@dataclass
class Order:
    customer: str
    items: list[Item]


class AnyItem(Protocol):
    price: float
    count: int


engine()  # before threads ask for it


def total(items: Iterable[AnyItem]) -> float:
    return sum(item.price * item.count for item in items)
