"""The page on moving from FastAPI: values that look different, and one connection for both sides, on PostgreSQL."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from antiphon import App, Dependency, Request
from antiphon.testing import AsyncClient, Client
from tests.helpers.postgres import PostgresServer
from tests.helpers.rows import rows
from tests.helpers.system_programs import required_program

fastapi = pytest.importorskip("fastapi")
pytestmark = pytest.mark.once

from fastapi import Depends  # noqa: E402
from fastapi.encoders import jsonable_encoder  # noqa: E402
from pydantic import AnyUrl, BaseModel, SecretStr  # noqa: E402

PAGE = (Path(__file__).parents[2] / "docs/how-to/from-fastapi.md").read_text()
[TABLE] = re.findall(r"^\| value \| FastAPI.*\n\|.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
VALUES = [tuple(cell.strip(" `") for cell in line.strip("|").split(" | ")) for line in TABLE.splitlines()]
KINDS = {"UTC": UTC} | {each.__name__: each for each in (Decimal, IPv4Address, Path, datetime, timedelta)}
[SHARED] = [
    code for code in re.findall(r"^```py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) if "dependency_overrides" in code
]


_program = required_program("postgres-server", "postgres")


@pytest.fixture(scope="module")
def postgres(request):
    with PostgresServer(request.getfixturevalue("postgres-server")) as server:
        yield server.database()


def sent(app, handler):
    app.get("/")(handler)
    response = Client(app, raise_errors=False).get("/")
    return "500" if response.status == 500 else response.text.removeprefix('{"value":').removesuffix("}")


def of_fastapi(value):
    def handler():
        return {"value": value()}

    return sent(fastapi.FastAPI(), handler)


def of_antiphon(value, **options):
    return sent(App(**options), lambda request: value())


@rows("expression, theirs, ours", VALUES)
def test_values_look_as_the_table_says(expression, theirs, ours, caplog):
    caplog.set_level("CRITICAL")

    def value():
        return eval(expression, KINDS)

    assert of_fastapi(value) == theirs
    assert of_antiphon(lambda: {"value": value()}) == ours
    if theirs != "500":
        assert of_antiphon(lambda: jsonable_encoder({"value": value()})) == theirs
    if theirs.startswith('"') and ours == "500":
        assert of_antiphon(lambda: {"value": value()}, json_default=str) == theirs


def test_models_are_written_as_before():
    class Model(BaseModel):
        price: Decimal = Decimal("1.50")
        took: timedelta = timedelta(seconds=90)
        said: bytes = b"tea"
        folder: Path = Path("/tea")
        secret: SecretStr = SecretStr("tea")

    assert sent(fastapi.FastAPI(), Model) == of_antiphon(Model)
    for value in (AnyUrl("https://example.com/"), SecretStr("tea")):
        assert of_fastapi(lambda: value) == of_antiphon(lambda: {"value": value})


POOL, AT_ONCE = 5, 40


@pytest.mark.processes
@rows("interface, is_shared", ("asgi", True), ("wsgi", True), ("rsgi", True), ("asgi", False))
def test_both_sides_share_a_connection(interface, is_shared, postgres, caplog):
    caplog.set_level("CRITICAL")
    found = asyncio.run(ask(postgres, is_shared, interface))
    assert found == {200} if is_shared else 500 in found  # on a busy machine, a connection may come free in time for some


async def ask(postgres, is_shared, interface):
    sqlalchemy = pytest.importorskip("sqlalchemy.ext.asyncio")
    engine = sqlalchemy.create_async_engine(
        postgres.replace("postgresql:", "postgresql+asyncpg:"), pool_size=POOL, max_overflow=0, pool_timeout=1
    )
    SESSION = Dependency("session")
    app, old_app = App(), fastapi.FastAPI()

    async def get_session():
        async with sqlalchemy.AsyncSession(engine) as session:
            yield session

    @old_app.get("/old")
    async def old(session: sqlalchemy.AsyncSession = Depends(get_session)):
        return await one(session)

    async def session_of(request: Request):
        async with sqlalchemy.AsyncSession(engine) as session:
            yield session

    app.provide(SESSION, session_of)
    app.mount("", old_app)

    @app.before_request
    async def check_visitor(request):
        await one(request[SESSION])

    @app.get("/new")
    async def new(request):
        return {"one": await one(request[SESSION])}

    if is_shared:
        names = {"old_app": old_app, "get_session": get_session, "SESSION": SESSION}
        exec(SHARED, names | {"AsyncSession": sqlalchemy.AsyncSession})
    async with AsyncClient(app, interface, raise_errors=False) as client:
        assert {response.status for response in await at_once(client, "/new")} == {200}
        found = {response.status for response in await at_once(client, "/old")}
    await engine.dispose()
    return found


async def at_once(client, path):
    return await asyncio.gather(*(client.get(path) for _ in range(AT_ONCE)))


async def one(session):
    from sqlalchemy import text

    return (await session.execute(text("select 1"))).scalar()
