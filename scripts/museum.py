"""What versions stored, for all later ones to read: `python -m scripts.museum` adds what this version writes.

A version's folder has what people keep of the shop of tests/features/museum/shop.py, such as cookies, links and keys, a
dump of each store, and the folders of its uploads. The moment is always the same, since what is stored expires.
"""

import json
import lzma
import shutil
import sqlite3
import subprocess
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import time_machine

from antiphon.features import PostgresStore, SQLiteStore, ValkeyStore
from scripts.release import PROJECT, ROOT
from tests.features.museum.shop import Shop
from tests.helpers.postgres import PostgresServer, execute
from tests.helpers.system_programs import path_of
from tests.helpers.valkey import ValkeyServer

MUSEUM = ROOT / "tests/features/museum"
MOMENT = 1767322800.0
"""2 January 2026, in Unix time: when all of it was written."""
DAY = 24 * 3600 * 1000
STORES = ("sqlite", "postgres", "valkey")
_VALUES = {
    "string": lambda client, key: client.get(key),
    "hash": lambda client, key: client.hgetall(key),
    "zset": lambda client, key: client.zrange(key, 0, -1, withscores=True),
    "stream": lambda client, key: client.xrange(key),
}


def main() -> None:
    """Write the folder of this version, once more if there is one."""
    folder = MUSEUM / PROJECT["version"]
    shutil.rmtree(folder, ignore_errors=True)
    with ExitStack() as stack, tempfile.TemporaryDirectory() as place:
        postgres = stack.enter_context(PostgresServer(path_of("postgres")))
        valkey = stack.enter_context(ValkeyServer(path_of("valkey-server", "redis-server"), place))
        for kind, url in zip(STORES, (f"{place}/store.db", postgres.database(), valkey.url), strict=True):
            uploads = folder / kind / "uploads"
            uploads.mkdir(parents=True)
            rows = f"{place}/{kind}.rows"
            durable = url if kind == "postgres" else None
            with (
                time_machine.travel(MOMENT),
                closing(store_at(kind, url)) as store,
                Shop(store, uploads, rows, durable) as shop,
            ):
                kept = shop.make()
            (folder / kind / "rows.xz").write_bytes(lzma.compress(dump("sqlite", rows)))
            (folder / kind / "kept.json").write_text(json.dumps(kept) + "\n")
            (folder / kind / "dump.xz").write_bytes(lzma.compress(dump(kind, url)))


def store_at(kind: str, url: str) -> Any:
    """Open the store there, whose clock is that of this process."""
    if kind == "sqlite":
        return SQLiteStore(url)
    return PostgresStore(url, clock=time.time) if kind == "postgres" else ValkeyStore(url)


def dump(kind: str, url: str) -> bytes:
    """Return all that is in a store."""
    match kind:
        case "sqlite":
            with closing(sqlite3.connect(url)) as database:
                return database.serialize()
        case "postgres":
            program = Path(path_of("postgres")).resolve().with_name("pg_dump")
            command = [str(program), "--inserts", "--no-owner", "--no-privileges", url]
            lines = subprocess.run(command, check=True, capture_output=True).stdout.splitlines()
            return b"\n".join(line for line in lines if not line.startswith((b"--", b"\\", b"SET ")))
    with closing(ValkeyStore(url)) as store:
        client: Any = store.client
        kinds = {key: client.type(key).decode() for key in sorted(client.keys("antiphon:[^a]*"))}
        found = {key.decode(): [kind, _VALUES[kind](client, key)] for key, kind in kinds.items()}
    return json.dumps(_as_text(found)).encode()


def restore(kind: str, url: str, dump: Path) -> None:
    """Write a dump to an empty store."""
    content = lzma.decompress(dump.read_bytes())
    match kind:
        case "sqlite":
            Path(url).write_bytes(content)
        case "postgres":
            execute(url, content.decode())
        case "valkey":
            with closing(ValkeyStore(url)) as store:
                for key, (form, value) in json.loads(content).items():
                    _write(store.client, key, form, value)


def _as_text(value: Any) -> Any:
    """Return a value with its bytes as text, a character each."""
    match value:
        case bytes():
            return value.decode("latin-1")
        case dict():
            return {_as_text(name): _as_text(each) for name, each in value.items()}
        case list() | tuple():
            return [_as_text(each) for each in value]
    return value


def _as_bytes(fields: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode("latin-1"): each.encode("latin-1") for name, each in fields.items()}


def _write(client: Any, key: str, form: str, value: Any) -> None:
    match form:
        case "string":
            client.set(key, value.encode("latin-1"))
        case "hash":
            client.hset(key, mapping=_as_bytes(value))
        case "zset":
            client.zadd(key, {name.encode("latin-1"): score for name, score in value})
        case "stream":
            for id_, fields in value:
                client.xadd(key, _as_bytes(fields), id=id_)
    client.pexpire(key, DAY)


if __name__ == "__main__":
    main()
