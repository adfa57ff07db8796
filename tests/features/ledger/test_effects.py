# ruff: noqa: E501 - a row is easier to read in one line
"""Effects that no rollback takes back, of a handler in a guarded write: which are refused, and which are not seen."""

import importlib
import os
import socket
import subprocess
import threading
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from antiphon.features import Sessions
from antiphon_ledger import Ledgered, is_guarded
from tests.features.ledger.shop import BEGIN, DATABASE, preview
from tests.helpers.postgres import execute
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.processes]

UP = "update t set n = n + 1 where id = 1"
NOWHERE = ("127.0.0.1", 9)


def connecting(request):
    with socket.socket() as connection:
        connection.connect(NOWHERE)


def swallowing(request):
    with suppress(Exception):
        connecting(request)


def sending(request):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.sendto(b"sold", NOWHERE)


def reading(request):
    return Path(__file__).read_text()


OUTSIDE = [  # what a handler does, the status of a preview, and of a real write with If-Changes
    ("a session", lambda request: request.session.update(user="ann"), 409, 409),
    ("a session that is read", lambda request: request.session.get("user"), 200, 412),
    ("a connection", connecting, 409, 500),
    ("a connection whose error is caught", swallowing, 409, 412),
    ("a datagram", sending, 409, 412),
    ("a thread", lambda request: threading.Thread(target=int).start(), 409, 412),
    ("a program", lambda request: subprocess.run(["true"], check=True), 409, 412),
    ("a file", lambda request: Path("written").write_text(""), 409, 412),
    ("a file by its descriptor", lambda request: os.close(os.open("written", os.O_WRONLY | os.O_CREAT)), 409, 412),
    ("a file that goes", lambda request: os.remove("there"), 409, 412),
    ("a file that is read", reading, 200, 412),
    ("a module", lambda request: importlib.import_module("this_one_too"), 200, 412),
]  # fmt: skip


def test_rule_24_effects_outside_are_refused_in_a_preview_and_reported(shop, caplog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    shop = shop()
    shop.app.use(Sessions())
    shop.app.get("/who")(lambda request: str(request.session.get("user")))
    for n, (_, effect, _, _) in enumerate(OUTSIDE):

        def w(request, effect=effect):
            request[DATABASE].execute(UP)
            effect(request)
            return {}

        shop.write(w, path=f"/{n}", name=f"w{n}")
    client, before, found = shop.client(), shop.look(), []
    for n, (name, *_) in enumerate(OUTSIDE):
        Path("there").touch()
        Path("this_one_too.py").touch()
        caplog.clear()
        previewed = preview(client, f"/{n}").status
        is_reported = "has an effect that can't be taken back" in caplog.text
        assert (is_reported, Path("there").exists(), Path("written").exists()) == (previewed == 409, True, False), name
        written = client.post(f"/{n}", headers={"if-changes": '"other"'}).status
        Path("written").unlink(missing_ok=True)
        found.append((name, previewed, written, shop.look() == before, client.get("/who").text))
    assert found == [(name, previewed, written, True, "None") for name, _, previewed, written in OUTSIDE]


INSIDE = [  # what a handler carries out, the status of a preview, and of a real write with If-Changes
    ("rule 22: a sequence that is set back", "select setval('t_id_seq', 1)", 409, 412),
    ("rule 22: a sequence that is set back to its begin", "select setval('t_id_seq', 1, false)", 409, 412),
    ("rule 22: a sequence that goes on", "select nextval('t_id_seq')", 200, 412),
    ("rule 22: a lock of the session", "select pg_advisory_lock(42)", 409, 412),
    ("rule 22: a lock of the session that others share", "select pg_advisory_lock_shared(1, -2)", 409, 412),
    ("rule 22: a lock of the transaction", "select pg_advisory_xact_lock(42)", 200, 412),
    ("rule 22: a large object", "select lo_from_bytea(0, 'more')", 409, 409),
    ("rule 20: a function", "create function f() returns int language sql as 'select 1'", 409, 409),
    ("rule 20: a right", "grant select on t to public", 409, 409),
    ("rule 20: two phases", "prepare transaction 'later'", 409, 409),
    ("rule 20: a temporary table", "create temp table made (id serial primary key, n int check (n > 0))", 200, 412),
    ("rule 20: a rule that writes elsewhere", "update v set n = 5", 409, 409),
    ("rule 20: a table of another server", "insert into far values (1)", 409, 409),
    ("a notification", "notify sold, 'tea'", 200, 412),
]  # fmt: skip
MORE = f"""{BEGIN}; create view v as select * from t; create table log (x int); create extension if not exists postgres_fdw;
create rule r as on update to v do instead (update t set n = new.n where id = old.id; insert into log values (1));
drop server if exists here cascade; create server here foreign data wrapper postgres_fdw options (host '{{host}}', dbname '{{dbname}}');
create user mapping for public server here options (user '{{user}}', password_required 'false');
create foreign table far (x int) server here options (table_name 'u')"""


def test_what_a_transaction_does_besides_rows_is_refused_if_it_is_seen(shop, postgres):
    def source(request):  # a pool's connections go on, with their locks
        with pooled[is_guarded(request)].transaction():
            if is_guarded(request):
                pooled[1].execute("set transaction read write")
            yield pooled[is_guarded(request)]

    shop = shop(begin=MORE.format(**conninfo_to_dict(postgres)), source=source)
    execute(postgres, "alter table t owner to shop")
    url = postgres.replace("antiphon@", "shop@")
    with closing(psycopg.connect(url)) as one, closing(psycopg.connect(url)) as other:
        other.execute("set default_transaction_read_only = on")
        other.commit()
        pooled = [one, other]
        for n, (_, statement, *_) in enumerate(INSIDE):
            shop.does(statement, path=f"/{n}", name=f"w{n}")
        found = []
        with psycopg.connect(postgres, autocommit=True) as listening:
            listening.execute("listen sold")
            for n, (name, *_) in enumerate(INSIDE):
                execute(postgres, "select setval('t_id_seq', 7)")
                previewed = preview(shop.client(), f"/{n}").status
                held = shop.look("select count(*) from pg_locks where locktype = 'advisory'")
                written = shop.client().post(f"/{n}", headers={"if-changes": '"other"'}).status
                other.execute("select pg_advisory_unlock_all()")
                other.commit()
                found.append((name, previewed, written, held))
            told = [*listening.notifies(timeout=0)]
    assert found == [(name, previewed, written, [(0,)]) for name, _, previewed, written in INSIDE]
    assert told == []
    assert shop.look("select count(*) from pg_prepared_xacts") == [(0,)]


@rows("right", ["pg_execute_server_program", "pg_write_server_files"])
def test_rule_22_a_role_that_may_start_programs_is_refused(right, shop):
    shop = shop()
    shop.does("copy t to program 'cat > /dev/null'")
    execute(shop.url, f"grant {right} to shop")
    try:
        statuses = preview(shop.client()).status, shop.client().post("/w").status
    finally:
        execute(shop.url, f"revoke {right} from shop")
    assert statuses == (500, 500)


UNGUARDED = [  # what a handler does in a write that nothing may refuse, and what the log says
    ("a table that isn't listed", "delete from u", "public.u"),
    ("an own commit", "commit; begin; update t set n = 100 where id = 1", "more, after it had ended its transaction"),
    ("an own rollback", "rollback; begin; update t set n = 100 where id = 1", "more, after it had ended its transaction"),
]  # fmt: skip


@rows("name, statements, told", UNGUARDED)
def test_rule_20_a_write_without_conditions_happens_and_the_log_says_what_is_not_noted(
    name, statements, told, shop, caplog
):
    shop = shop()
    execute(shop.url, "grant all on u to shop")
    shop.does(f"{UP}; {statements}", ledgered=Ledgered())
    assert shop.client().post("/w").status == 200
    assert f"POST /w wrote what the ledger doesn't note: {told}" in caplog.text
    assert shop.look("select n from t where id = 1") == [(1 if "table" in name else 100,)]
