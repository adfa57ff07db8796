# ruff: noqa: E501 - a row is easier to read in one line
"""What the ledger keeps: each row is a rule, and what shows that it holds. A handler is the attacker here: it commits,
rolls back, writes unseen, or changes settings.
"""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from antiphon import App, abort
from antiphon.features import Channel, Durable, MemoryStore, ResumableUploads, login_required
from antiphon.testing import Client, LifespanError
from antiphon_ledger import BadTable, Ledgered
from tests.features.ledger.shop import BEGIN, DATABASE, TABLES, preview
from tests.helpers.postgres import execute
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.processes]

UP = "update t set n = n + 1"
BUDGET = Ledgered(preview=True, budget=5)


def run(*statements):
    """A handler that carries out statements; "commit" and "rollback" by the connection."""

    def w(request):
        connection = request[DATABASE]
        for each in statements:
            getattr(connection, each)() if each in ("commit", "rollback") else connection.execute(each)
        return {"done": True}

    return w


def swallowing(*statements):
    def w(request):
        connection = request[DATABASE]
        for each in statements:
            try:
                getattr(connection, each)() if each in ("commit", "rollback") else connection.execute(each)
            except psycopg.Error:
                connection.rollback()
        return {"done": True}

    return w


def streaming(request):
    connection = request[DATABASE]

    def body():
        connection.execute(UP)
        yield "written"
        connection.commit()

    return body()


UNCOMMITTED = [  # what the handler does, the status of a preview, and of a real write with If-Changes and a budget
    ("rule 3: the plain write", run(UP), 200, 412),
    ("rule 20: a commit", run(UP, "commit"), 409, 409),
    ("rule 20: a rollback, then a write", run("rollback", UP), 409, 409),
    ("rule 20: a rollback, a write and a commit", run(UP, "rollback", UP, "commit"), 409, 409),
    ("rule 20: errors swallowed, until something is committed", swallowing(UP, "commit", UP, "commit"), 409, 409),
    ("rule 20: a commit in SQL", run(UP, "commit; begin"), 409, 409),
    ("rule 18: RESET ALL", run("reset all", UP), 200, 412),
    ("rule 19: lifting the guard", run("delete from antiphon_ledger.guard", UP), 500, 500),
    ("rule 19: passing by SQL", run("select antiphon_ledger.passed(id, '', 1, null, true) from antiphon_ledger.request"), 500, 500),
    ("rule 19: passing a guessed write", run("select antiphon_ledger.passed(gen_random_uuid(), '', 1, null, true)"), 409, 409),
    ("rule 19: another caller", run("select antiphon_ledger.open(false, 'bob', '', '', '', '', null, '{}', false)", UP), 500, 500),
    ("rule 19: forged notes", run("insert into antiphon_ledger.journal default values"), 500, 500),
    ("rule 21: constraints made immediate", run(UP, "set constraints all immediate"), 409, 409),
    ("rule 22: replication role", run("set session_replication_role = replica", UP), 500, 500),
    ("rule 22: TRUNCATE of a listed table", run("truncate t"), 409, 409),
    ("rule 22: a trigger that is disabled for a moment", run("alter table t disable trigger all", UP, "alter table t enable always trigger zz_antiphon_ledger"), 500, 500),
    ("rule 22: a trigger of ours that is disabled for a moment", run("alter table t disable trigger zz_antiphon_ledger", UP, "alter table t enable always trigger zz_antiphon_ledger"), 409, 409),
    ("rule 20: TRUNCATE of another", run("truncate u", UP), 409, 409),
    ("rule 20: another table", run("delete from u", UP), 409, 409),
    ("rule 20: DDL", run("create table made (x int)", UP), 409, 409),
    ("rule 18: a temporary journal", run("create temp table journal (x int)", UP), 200, 412),
    ("rule 16: COPY", lambda request: request[DATABASE].execute("insert into t (n) select 3 from generate_series(1, 2)") and {}, 200, 412),
    ("rule 20: a body that is streamed", streaming, 409, 409),
    ("rule 9: more rows than the budget", run("insert into t (n) select 1 from generate_series(1, 6)"), 403, 403),
]  # fmt: skip


def test_nothing_is_committed_that_was_not_checked(shop):
    shop = shop()
    for n, (_, handler, _, _) in enumerate(UNCOMMITTED):
        shop.write(handler, path=f"/{n}", name=f"w{n}", ledgered=BUDGET)
    execute(shop.url, "alter table u owner to shop; alter table t owner to shop")
    client, before, found = shop.client(), look_at(shop), []
    for n, (name, *_) in enumerate(UNCOMMITTED):
        previewed = preview(client, f"/{n}").status
        written = client.post(f"/{n}", headers={"if-changes": '"other"'}).status
        found.append((name, previewed, written, look_at(shop) == before))
    assert found == [(name, previewed, written, True) for name, _, previewed, written in UNCOMMITTED]
    assert shop.look("select count(*) from antiphon_ledger.guard") == [(0,)]


def look_at(shop):
    return shop.look("select * from t order by id"), shop.look("select * from u")


def test_rule_10_a_digest_is_of_one_caller_credential_route_and_arguments(shop):
    shop = shop()
    shop.does(UP)
    shop.does(UP, path="/other", name="other")
    digest = preview(shop.client()).json["if-changes"]
    assert preview(shop.client()).json["if-changes"] == digest
    for who, target in (("of-bob", "/w"), ("of-ann-too", "/w"), ("of-ann", "/other"), ("of-ann", "/w?x=1")):
        assert shop.client(who=who).post(target, headers={"if-changes": digest}).status == 412, (who, target)
    assert shop.client().post("/w", json={"x": 1}, headers={"if-changes": digest}).status == 412
    for wrong in ("*", f"W/{digest}", digest.strip('"'), f'"x", {digest}'):
        assert shop.client().post("/w", headers={"if-changes": wrong}).status == 412, wrong
    assert shop.client().post("/w", headers={"if-changes": digest}).status == 200


SAME = [  # a statement, and another: whether they have the same digest
    ("rule 11: keys and moments that the database makes", "insert into t (n) values (7)", "insert into t (n) values (7)", True),
    ("rule 10: the order of rows", "insert into t (n) select n from (values (1), (2)) v (n)", "insert into t (n) select n from (values (2), (1)) v (n)", True),
    ("rule 11: an amount that equals the new key", "insert into t (n) values (currval('t_id_seq') + 1)", "insert into t (n) values (currval('t_id_seq') + 1)", False),
    ("rule 11: a moment that the caller chooses", "insert into t (n, at) values (1, '2026-12-01')", "insert into t (n, at) values (1, '2026-12-04')", False),
    ("rule 11: links between new rows", "with a as (insert into t (n) values (1) returning id) insert into t (n, link) select 2, id from a", "with a as (insert into t (n) values (2) returning id) insert into t (n, link) select 1, id from a", False),
    ("rule 11: the same links", "with a as (insert into t (n) values (1) returning id) insert into t (n, link) select 2, id from a", "with a as (insert into t (n) values (1) returning id) insert into t (n, link) select 2, id from a", True),
    ("rule 10: a hidden column", "update t set secret = 'a' where id = 1", "update t set secret = 'b' where id = 1", False),
]  # fmt: skip


def test_a_digest_is_of_the_changes(shop):
    shop, statement = shop(), [""]
    shop.write(lambda request: request[DATABASE].execute(statement[0]) and {}, name="w")
    client = shop.client()

    def digest_of(text):
        statement[0] = text.replace("currval('t_id_seq')", "(select last_value from t_id_seq)")
        seen = preview(client)
        assert seen.status == 200, (text, seen.text)
        return seen.json["if-changes"]

    assert [(name, digest_of(one) == digest_of(other)) for name, one, other, _ in SAME] == [
        (name, is_same) for name, _, _, is_same in SAME
    ]


SHOWN = [
    ("rule 7: a column that isn't listed", "update t set secret = 'NEW' where id = 1",
     [{"table": "public.t", "change": "update", "key": {"id": "1"}, "old": {}, "new": {}, "others": "1 more columns (changed)"}]),
    ("rule 10: net changes only", "update t set n = 5 where id = 1; update t set n = 0 where id = 1", []),
    ("rule 10: made and deleted", "insert into t (id) values (9); delete from t where id = 9", []),
    ("rule 16: a key that changes", "update t set id = 7 where id = 1; update t set n = 3 where id = 7",
     [{"table": "public.t", "change": "update", "key": {"id": "7"}, "old": {"id": "1", "n": "0"}, "new": {"id": "7", "n": "3"}}]),
    ("rule 16: deleted and made again", "delete from t where id = 1; insert into t (id, n, title, at) values (1, 4, 'tea', (select at from t where id = 2))",
     [{"table": "public.t", "change": "update", "key": {"id": "1"}, "old": {"n": "0"}, "new": {"n": "4"}}]),
]  # fmt: skip


def test_only_listed_columns_are_shown(shop):
    shop = shop()
    for n, (_, statements, _) in enumerate(SHOWN):
        shop.does(statements, path=f"/{n}", name=f"w{n}")
    client = shop.client()
    seen = [preview(client, f"/{n}") for n, _ in enumerate(SHOWN)]
    assert [(name, each.json["changes"]) for (name, *_), each in zip(SHOWN, seen, strict=True)] == [
        (name, changes) for name, _, changes in SHOWN
    ]
    assert [each for each in seen if "S3CRET" in each.text or "NEW" in each.text] == []
    assert client.post("/0").status == 200
    noted = shop.look("select old::text || new::text from antiphon_ledger.journal")
    assert len(noted) == 1
    assert [row for row in noted if "NEW" in row[0] or "S3CRET" in row[0]] == []


HIDDEN = """alter table t enable row level security; create policy p on t using (id = 1); grant all on t to shop;
create table c (id serial primary key, t int references t on delete cascade, body text); insert into c (t, body)
values (1, 'mine'), (1, 'of another'); alter table c enable row level security; create policy p on c using (id = 1)"""


def test_rule_8_rows_that_the_caller_may_not_see_are_not_shown(shop):
    tables = {**TABLES, "public.c": ["id", "body"]}
    with (
        pytest.raises(LifespanError, match="row-level security, so Ledger needs may_see"),
        shop(begin=f"{BEGIN}; {HIDDEN}", tables=tables).client("asgi"),
    ):
        pass
    made = shop(begin=f"{BEGIN}; {HIDDEN}", tables=tables, may_see=lambda request, table, row: row["id"] == "1")
    made.does("delete from t where id = 1")
    refused = preview(made.client())
    assert (refused.status, refused.json["detail"]) == (403, "This would change rows that you may not see.")
    assert "of another" not in refused.text


AT_START = [  # options of a route, and the fault
    ("rule 1: no guard", {"before": []}, "has no guard"),
    ("rule 1: a hook that isn't known to be a guard", {"before": print}, "has no guard"),
    ("rule 12: an agreement without idempotence", {"ledgered": Ledgered(preview=True, agree=True)}, "so it must be idempotent"),
    ("rule 9: a budget of nothing", {"ledgered": Ledgered(budget=0)}, "its budget must be above 0"),
    ("a method that doesn't write", {"method": "get"}, "must only have methods that write"),
    ("a body that may be read later", {"receive": "stream"}, "must get its whole body"),
    ("rule 13: a job that writes after its request", {"durable": True}, "can't be durable"),
    ("rule 13: an upload in parts", {"resumable": True}, "can't be durable, resumable"),
]  # fmt: skip


@rows("name, options, fault", AT_START)
def test_what_cannot_be_safe_is_refused_at_the_start(name, options, fault, shop):
    shop = shop()
    shop.app.use(Durable(shop.url, name="rules"))
    shop.app.use(ResumableUploads())
    shop.write(run(UP), **options)
    with pytest.raises(RuntimeError, match=fault), shop.client("asgi"):
        pass


@rows(
    "tables, statement, fault",
    [
        ({"public.k": []}, "create table k (n int)", "has no primary key"),
        ({"public.t": []}, "create table child () inherits (t)", "inherit nothing"),
        ({"public.none": []}, "select 1", "there is no table"),
    ],
)  # rules 16 and 22
def test_tables_that_cannot_be_noted_are_refused(tables, statement, fault, shop):
    with pytest.raises(BadTable, match=fault):
        shop(begin=f"{BEGIN}; {statement}", tables=tables)


def test_rule_7_secrets_cannot_be_listed(shop):
    with pytest.raises(ValueError, match=r"public.t.secret must not be shown"):
        shop(tables={"public.t": ["id", "secret"]})


@rows("statement", ["drop trigger zz_antiphon_ledger on t", "alter table t disable trigger zz_antiphon_ledger",
                    "create or replace trigger zz_antiphon_ledger after insert on t for each row execute function antiphon_ledger.note('{id}', '{id,secret}')"])  # fmt: skip
def test_rule_22_a_table_that_is_not_noted_is_found_at_the_start(statement, shop):
    shop = shop()
    execute(shop.url, statement)
    with pytest.raises(LifespanError, match="not noted as declared"), shop.client("asgi"):
        pass


def test_rule_19_a_schema_of_another_role_is_refused(shop):
    with pytest.raises(BadTable, match="of another role"):
        shop(begin=f"{BEGIN}; {OTHERS}")


OTHERS = """do $$ begin create role shop login; exception when duplicate_object then null; end $$;
create schema antiphon_ledger authorization shop"""


def test_rule_19_a_role_that_could_write_the_journal_is_refused(shop):
    shop = shop()
    shop.of_shop = shop.url
    shop.does(UP)
    assert preview(shop.client()).status == 500
    assert shop.client().post("/w").status == 500


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_rule_24_effects_are_refused_in_a_preview(interface, shop):
    shop = shop()
    channel = Channel("lamps", store=MemoryStore())

    def w(request):
        request[DATABASE].execute(UP)
        request.after_commit(shop.sent.append, "committed") if shop.by == "commit" else request.after_response(print)
        return {}

    def message(request):
        channel.send("sold")
        return {}

    shop.write(w)
    shop.write(message, path="/message", name="message")
    shop.by = "response"
    assert preview(shop.client(interface)).status == 409
    assert preview(shop.client(interface), "/message").status == 409
    assert channel.messages() == []
    shop.by = "commit"
    assert (preview(shop.client(interface)).status, shop.sent) == (200, [])
    assert (shop.client(interface).post("/w").status, shop.sent) == (200, ["committed"])


NOTHING = [  # what is asked for, the status
    ("rule 4: a route without a ledger", {"target": "/plain"}, 404),
    ("rule 4: no route", {"target": "/none"}, 404),
    ("rule 4: the preview of a preview", {"target": "/.preview"}, 404),
    ("rule 4: another method", {"method": "GET"}, 404),
    ("rule 4: a route with a ledger but no preview", {"target": "/unseen"}, 404),
    ("rule 4: no path", {"target": "http://example.com/w"}, 422),
    ("rule 4: a field that tells who sends it", {"fields": {"authorization": "Bearer of-bob"}}, 422),
    ("rule 1: a guard of the route", {"target": "/forbidden"}, 403),
    ("a field that the handler refuses", {"target": "/fails"}, 418),
]  # fmt: skip


def test_what_cannot_be_previewed_is_not_carried_out(shop):
    shop = shop()
    shop.does(UP)
    shop.does(UP, path="/unseen", name="unseen", ledgered=Ledgered())
    shop.does(UP, path="/forbidden", name="forbidden", before=[login_required, lambda request: abort(403)])
    shop.write(lambda request: abort(418), path="/fails", name="fails")
    shop.app.post("/plain")(run(UP))
    client, before, found = shop.client(), shop.look(), []
    for name, asked, _ in NOTHING:
        status = client.post("/.preview", json={"method": "POST", "target": "/w", **asked}).status
        found.append((name, status, shop.look() == before))
    assert found == [(name, status, True) for name, _, status in NOTHING]


def test_rule_1_a_stranger_gets_what_the_guard_says(shop):
    shop = shop()
    shop.does(UP)
    assert preview(shop.client(who=None)).status == 401
    assert preview(shop.client(who=None), "/none").status == 404


def test_rule_5_who_looked_at_what_is_noted(shop):
    shop = shop()
    shop.does(UP)
    preview(shop.client())
    shop.client().post("/w")
    noted = shop.ledger.records.last(2)
    assert [(each["kind"], each["caller"], each["route"], each["rows"]) for each in noted] == [
        ("write", "ann", "POST /w", 2), ("preview", "ann", "POST /w", 2)
    ]  # fmt: skip
    assert noted[0]["credential"].startswith("user ")
    assert "of-ann" not in noted[0]["credential"]


def test_rule_2_what_a_guard_writes_stays_or_is_refused(shop):
    def counting(request):
        request[DATABASE].execute("update u set x = x + 1")

    shop = shop()
    execute(shop.url, "grant all on u to shop")
    shop.does(UP, before=[login_required, counting])
    before = shop.look()
    assert preview(shop.client()).status == 409
    assert shop.look() == before
    assert shop.client().post("/w").status == 200


def test_rule_20_hooks_after_the_handler_cannot_write_more(shop):
    shop = shop()
    shop.does(UP)
    more = ["update t set n = 100", "delete from u"]

    @shop.app.after_request
    def write(request, response):
        if request.path == "/w" and response.status == 200:
            request[DATABASE].execute(more[0])

    client, before = shop.client(), shop.look()
    digest = preview(client).json["if-changes"]
    while more:
        assert client.post("/w", headers={"if-changes": digest}).status == 500
        assert shop.look() == before
        more.pop(0)


def test_rule_23_a_preview_does_not_wait_for_locks(shop):
    shop = shop()
    shop.does(UP)
    with psycopg.connect(shop.url) as other:
        other.execute("update t set n = 7 where id = 1")
        busy = preview(shop.client())
        assert (busy.status, busy.headers["retry-after"]) == (409, "1")
        other.rollback()
    assert preview(shop.client()).status == 200


def test_rule_32_notes_are_pruned_and_erased(shop):
    shop = shop()
    shop.does("update t set title = 'vic@example.com'")
    shop.client().post("/w")

    def noted():
        return shop.look("select count(*) from antiphon_ledger.journal where new::text like '%vic@%'")

    assert noted() == [(2,)]
    assert shop.ledger.records.erase("public.t", {"id": "1"}) == 1
    assert noted() == [(1,)]
    execute(shop.url, "update antiphon_ledger.journal set at = at - interval '2 hours'")
    shop.ledger.records.prune(shop.ledger.keep)
    assert noted() == [(0,)]


TYPES = """create type mood as enum ('a'); create table t (id serial primary key, n int, title text, link int references t,
f float8, nu numeric, ts timestamptz, b bytea, ar int[], js json, j jsonb, p point, g int generated always as (n * 2) stored,
"Camel" text, "user" text); insert into t (n, f, nu, ts, b, ar, js, j, p) values (0, 0.1::float8 + 0.2, 'NaN', 'infinity',
'\\x00ff', '[2:3]={1,2}', '{"a":1, "a":  2}', '{"a": 1.10}', '(1,1)'); create table u (x int)"""


def test_rule_17_values_are_exact_whatever_the_session_says(shop):
    listed = ["id", "n", "f", "nu", "ts", "b", "ar", "js", "j", "p", "g", "Camel", "user"]
    shop = shop(begin=TYPES, tables={"public.t": listed})
    shop.write(run("set local timezone = 'Asia/Tokyo'; set local bytea_output = 'escape'; set local extra_float_digits = -15",
                   "update t set n = 1"), name="w")  # fmt: skip
    shop.write(run("delete from t"), path="/all", name="all")
    [row] = preview(shop.client()).json["changes"]
    assert (row["old"], row["new"]) == ({"g": "0", "n": "0"}, {"g": "2", "n": "1"})
    [row] = preview(shop.client(), "/all").json["changes"]
    assert row["old"] == {
        "id": "1", "n": "0", "f": "0.30000000000000004", "nu": "NaN", "ts": "infinity", "b": "\\x00ff", "ar": "[2:3]={1,2}",
        "js": '{"a":1, "a":  2}', "j": '{"a": 1.10}', "p": "(1,1)", "g": "0", "Camel": None, "user": None,
    }  # fmt: skip


def test_rule_24_effects_are_refused_where_a_write_may_still_be_refused(shop):
    shop = shop()
    shop.write(lambda request: request.after_response(print) and {}, name="w")
    assert shop.client().post("/w", headers={"if-changes": '"x"'}).status == 409
    assert shop.client().post("/w").status == 200


def test_rule_6_a_caller_has_one_preview_at_a_time(shop):
    shop = shop()

    def slow(request):
        request[DATABASE].execute("select pg_sleep(0.5)")
        return {}

    shop.write(slow, path="/w")
    client = shop.client()
    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(lambda _: preview(client).status, range(2))) == [200, 409]


def test_rule_23_a_preview_that_takes_long_is_ended(shop):
    shop = shop()
    shop.does("select pg_sleep(20)")
    assert preview(shop.client()).status == 409


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_a_mounted_app_is_previewed_through_the_apps_around_it(interface, shop):
    shop = shop()
    shop.does(UP, ledgered=Ledgered(preview=True))
    outer = App(secret_keys=["of a test, and not secret"])
    outer.mount("/shop", shop.app)
    before, headers = shop.look(), {"authorization": "Bearer of-ann"}
    with Client(outer, interface, headers=headers, raise_errors=False) as client:
        asked = {"method": "POST", "target": "/shop/w"}
        assert client.post("/shop/.preview", json={**asked, "target": "/w"}).status == 404
        seen = client.post("/shop/.preview", json=asked)
        assert (seen.status, shop.look()) == (200, before)
        assert client.post("/shop/w", headers={"if-changes": seen.json["if-changes"]}).status == 200


@rows("root", ["t", "p1"])
def test_rule_16_partitions_are_noted_by_their_root(root, shop):
    parts = """create table t (id int, n int, title text, link int, primary key (id)) partition by range (id);
    create table p1 partition of t for values from (0) to (9); create table p2 partition of t for values from (9) to (20);
    insert into t values (1, 0), (12, 0); create table u (x int)"""
    shop = shop(begin=parts, tables={"public.t": ["id", "n"]})
    shop.does(f"update {root} set n = 1 where id = 1")
    shop.does("update t set id = 13 where id = 1", path="/moved", name="moved")
    assert [each["table"] for each in preview(shop.client()).json["changes"]] == ["public.t"]
    assert preview(shop.client(), "/moved").status == 200
