import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Self, assert_type

from antiphon import Request
from antiphon.app.lifespan import Lifespan
from antiphon.app.places import Places
from antiphon.request.places import Place


class Pool:
    def __enter__(self) -> Self: raise NotImplementedError
    def __exit__(self, *raised: object) -> None: return None


class AsyncPool:
    async def __aenter__(self) -> Pool: raise NotImplementedError
    async def __aexit__(self, *raised: object) -> None: return None


Tenant = Place[Pool]("tenant")


class Mine(Request):
    session = Place[int]("session")


def read(request: Mine, places: Places) -> None:
    assert_type(request[Tenant], Pool)
    assert_type(request.session, int)
    assert_type(Mine.session, Place[int])
    assert_type(places.read(Tenant, request), Pool)
    request[Tenant] = Pool()
    request.session = 5
    request[Tenant] = 5  # wrong
    request.session = "5"  # wrong


def sync(request: Request) -> Pool: raise NotImplementedError
async def waits(request: Request) -> Pool: raise NotImplementedError
def wrong(request: Request) -> int: raise NotImplementedError


def fill(places: Places) -> None:
    places.fill(Tenant, sync)
    places.fill(Tenant, waits, when=lambda request: request.path == "/", otherwise=lambda request: Pool())
    places.fill(Tenant, lambda request: Pool(), blocking=True)
    places.fill(Tenant, wrong)  # wrong
    places.fill(Tenant, sync, when=lambda request: asks(request))  # wrong
    places.fill(Tenant, sync, otherwise=lambda request: waits(request))  # wrong


async def asks(request: Request) -> bool: raise NotImplementedError
async def mail(to: str, *, urgent: bool = False) -> None: raise NotImplementedError


def after(request: Request) -> None:
    request.after(mail, "ada@example.com", urgent=True)
    request.after(lambda: mail("ada@example.com"))
    request.after(mail)  # wrong
    request.after(mail, 5)  # wrong
    request.after(print, "done")

    @request.after
    def log() -> None: ...

    log()


def generator() -> Generator[Pool, None, None]: yield Pool()
def iterator() -> Iterator[Pool]: yield Pool()
async def async_generator() -> AsyncGenerator[Pool, None]: yield Pool()
async def async_iterator() -> AsyncIterator[Pool]: yield Pool()
@contextmanager
def manager() -> Iterator[Pool]: yield Pool()
@asynccontextmanager
async def async_manager() -> AsyncIterator[Pool]: yield Pool()
async def coroutine() -> Pool: raise NotImplementedError


def start(lifespan: Lifespan) -> None:
    assert_type(lifespan.add(generator), Place[Pool])
    assert_type(lifespan.add(iterator), Place[Pool])
    assert_type(lifespan.add(async_generator), Place[Pool])
    assert_type(lifespan.add(async_iterator), Place[Pool])
    assert_type(lifespan.add(manager), Place[Pool])
    assert_type(lifespan.add(async_manager), Place[Pool])
    assert_type(lifespan.add(Pool), Place[Pool])
    assert_type(lifespan.add(AsyncPool), Place[Pool])
    assert_type(lifespan.state(lifespan.add(manager)), Pool)
    lifespan.add(coroutine)  # wrong

    @lifespan.add
    async def pool() -> AsyncIterator[Pool]:
        yield Pool()

    assert_type(pool, Place[Pool])
"""


@pytest.mark.processes
@pytest.mark.once
def test_mypy_knows_what_is_in_a_place(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", "--no-pretty", path],
        cwd=Path(__file__).parent.parent, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    found = sorted({int(line.split(":")[1]) for line in checked.stdout.splitlines() if ": error: " in line})
    wrong = [number for number, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# wrong")]
    assert found == wrong, checked.stdout + checked.stderr
