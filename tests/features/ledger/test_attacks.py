# ruff: noqa: E501 - a row is easier to read in one line
"""What attacks on earlier designs have shown: failures that must count, doors that must ask, and rows that must be seen."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from threading import Barrier

import psycopg
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from antiphon import App, abort
from antiphon.features import OpenTelemetry, RateLimit, Tool, login_required
from antiphon.testing import Client
from antiphon_ledger import Ledgered, is_guarded
from tests.features.ledger.shop import BEGIN, DATABASE, preview
from tests.helpers.postgres import execute
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.once, pytest.mark.processes]

UP = "update t set n = n + 1 where id = 1"
OTHER = {"if-changes": '"other"'}


def test_rules_1_and_3_no_client_takes_the_failures_of_a_login_back(shop):
    shop = shop()

    @shop.app.post("/login")
    def login(request):
        request[DATABASE].execute("update t set n = n + 1 where id = 1")
        request[DATABASE].commit()
        abort(401)

    client = shop.client(who=None)
    assert preview(client, "/login").status == 404
    for headers in (OTHER, {"prefer": "preview"}):
        assert client.post("/login", headers=headers).status == 401
    assert shop.look("select n from t where id = 1") == [(2,)]


def test_rules_2_and_5_previews_count_in_limits(shop):
    shop = shop()
    shop.does(UP, before=[login_required, RateLimit("3/minute")])
    client = shop.client()
    assert [preview(client).status for _ in range(3)] == [200, 200, 200]
    assert (preview(client).status, client.post("/w").status) == (429, 429)


def test_rule_3_a_route_without_a_preview_takes_no_condition(shop):
    shop = shop()
    shop.does(UP, ledgered=Ledgered(budget=1))
    before = shop.look()
    assert shop.client().post("/w", headers=OTHER).status == 400
    assert shop.look() == before


def test_rule_4_another_site_previews_nothing(shop):
    shop = shop()
    shop.does(UP)
    asked = {"method": "POST", "target": "/w"}
    crossing = shop.client().post("/.preview", json=asked, headers={"sec-fetch-site": "cross-site"})
    assert (crossing.status, "changes" in crossing.text) == (403, False)


def test_rule_6_a_process_has_as_many_previews_as_it_says(shop):
    shop, both = shop(previews=1), Barrier(2)
    shop.does("select pg_sleep(1)")

    def see(client):
        both.wait()
        return preview(client).status

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(see, [shop.client(), shop.client(who="of-bob")])) == [200, 429]


def test_rule_7_no_error_shows_what_is_not_shown(shop, caplog):
    shop = shop()
    shop.does(
        "update t set title = 'TITLE', secret = 'HIDDEN'; insert into u values (1)", path="/unseen", name="unseen"
    )
    shop.does("update t set title = 'TITLE', secret = 'HIDDEN'", path="/budget", name="b", ledgered=Ledgered(True, 1))
    shop.does("update t set title = 'TITLE', secret = 'HIDDEN'", path="/changed", name="c")
    execute(shop.url, "grant all on u to shop")
    client = shop.client()
    told = [client.post(path, headers=OTHER) for path in ("/unseen", "/budget", "/changed")]
    assert [each.status for each in told] == [409, 403, 412]
    assert [each.text for each in told if "TITLE" in each.text or "HIDDEN" in each.text] == []
    assert "TITLE" not in caplog.text
    assert "HIDDEN" not in caplog.text


def test_rule_9_a_budget_is_told_to_those_who_may_preview_and_ends_the_notes(shop):
    shop = shop()
    many = "insert into t (n) select 1 from generate_series(1, 3000)"
    for path, ledgered in {"/seen": Ledgered(preview=True, budget=7), "/unseen": Ledgered(budget=7)}.items():
        shop.does(many, path=path, name=path[1:], ledgered=ledgered)
    client, size = shop.client(), "select pg_relation_size('antiphon_ledger.journal_rest')"
    told = [client.post(path).json["detail"] for path in ("/seen", "/unseen")]
    assert told == [f"This would change more rows than it may{number}." for number in (": 7", "")]
    assert shop.look(size) == [(8192,)]


def test_rule_10_a_digest_needs_the_app_s_key(shop):
    digests = []
    for key in ("of a test, and not secret", "of another test, and not secret"):
        made = shop()
        made.ledger.signer = App(secret_keys=[key]).signer("antiphon-ledger")
        made.does("update t set n = 7 where id = 1")
        digests.append(preview(made.client()).json["if-changes"])
    assert digests[0] != digests[1]
    assert {len(each) for each in digests} == {45}  # 256 bits


def test_rule_11_columns_that_differ_each_time_are_declared(shop):
    for volatile, is_same in (({}, False), ({"public.t": ["title"]}, True)):
        made = shop(volatile=volatile)
        made.does("update t set title = gen_random_uuid() where id = 1")
        digests = [preview(made.client()).json["if-changes"] for _ in range(2)]
        assert (digests[0] == digests[1]) == is_same


def test_rule_12_an_answer_to_a_question_pays_once(shop):
    shop = shop()

    def pay(request) -> dict[str, bool]:
        """Pay."""
        request[DATABASE].execute("insert into t (n) values (500)")
        return {"done": True}

    shop.write(pay, ledgered=Ledgered(preview=True, agree=True), idempotent=True, tool=Tool())
    client = shop.client()

    def call(**params):
        meta = {f"{_MCP}protocolVersion": "2026-07-28", f"{_MCP}clientCapabilities": {"elicitation": {}}}
        sent = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
        sent["params"] = {"name": "pay", "arguments": {}, "_meta": meta, **params}
        headers = {"mcp-method": "tools/call", "mcp-name": "pay", "mcp-protocol-version": "2026-07-28"}
        accept = {"accept": "application/json, text/event-stream"}
        return client.post("/mcp", json=sent, headers={**headers, **accept}).json["result"]

    asked = call()
    [name] = asked["inputRequests"]
    agreed = {"inputResponses": {name: {"action": "accept", "content": {}}}, "requestState": asked["requestState"]}
    done = [call(**agreed).get("structuredContent") for _ in range(4)]
    assert done[0] == {"done": True}  # and its response is repeated
    assert shop.look("select count(*) from t where n = 500") == [(1,)]


_MCP = "io.modelcontextprotocol/"

WRITTEN = f"""{BEGIN}; create table "order" (a int, b text, n int, "user" text, js json, g int generated always as (n * 2) stored,
primary key (a, b)); insert into "order" (a, b, n, js) values (1, 'x', 0, '{{}}'); create table i (id int generated always as
identity primary key, n int); insert into i (n) values (0); create function f() returns void language sql security definer
set search_path = '' as 'update public.t set n = 3 where id = 1'; create view v as select id, n from t;
alter table i add unique (n) deferrable initially deferred"""
SEEN = [  # a statement, and the net changes that a preview shows: their kinds and keys
    ("MERGE", "merge into t using (values (1, 5), (70, 7)) v (id, n) on t.id = v.id when matched then update set n = v.n when not matched then insert (id, n) values (v.id, v.n)", [("insert", {"id": "<new 1>"}), ("update", {"id": "1"})]),
    ("ON CONFLICT", "insert into t (id, n) values (1, 3), (80, 8) on conflict (id) do update set n = excluded.n", [("insert", {"id": "<new 1>"}), ("update", {"id": "1"})]),
    ("a function of its owner", "select f()", [("update", {"id": "1"})]),
    ("a view", "update v set n = 4 where id = 1", [("update", {"id": "1"})]),
    ("a key of two columns, a word of SQL, JSON and a generated column", 'update "order" set n = 1', [("update", {"a": "1", "b": "x"})]),
    ("an identity", "update i set n = 1", [("update", {"id": "1"})]),
    ("unique values that change places", "insert into i (n) values (0); update i set n = 9 where id = 1", [("insert", {"id": "<new 1>"}), ("update", {"id": "1"})]),
    ("back to a savepoint", f"savepoint s; {UP}; rollback to s", []),
]  # fmt: skip


def test_rule_16_writes_of_each_kind_are_seen(shop):
    tables = {"public.t": ["id", "n"], 'public."order"': ["a", "b", "n"], "public.i": ["id", "n"]}
    shop = shop(begin=WRITTEN, tables=tables)

    def copy(request):
        with request[DATABASE].cursor() as cursor, cursor.copy("copy t (id, n) from stdin") as into:
            into.write("90\t9\n")
        return {}

    for n, (_, statement, _) in enumerate(SEEN):
        shop.does(statement, path=f"/{n}", name=f"w{n}")
    shop.write(copy)
    client, found = shop.client(), []
    for n, (name, *_) in enumerate(SEEN):
        seen = preview(client, f"/{n}")
        found.append((name, [(each["change"], each["key"]) for each in seen.json["changes"]]))
    assert found == [(name, changes) for name, _, changes in SEEN]
    assert [each["key"] for each in preview(client).json["changes"]] == [{"id": "<new 1>"}]


def test_rule_21_what_would_fail_at_the_commit_fails_in_a_preview(shop):
    shop = shop(begin=f"{BEGIN}; delete from t; alter table t add unique (n) deferrable initially deferred")
    shop.does("insert into t (n) values (1), (1)")
    assert (preview(shop.client()).status, shop.client().post("/w").status) == (500, 500)


def test_rule_21_a_budget_alone_holds_against_an_own_commit(shop):
    shop = shop()
    shop.does("update t set n = 9; commit; begin", ledgered=Ledgered(budget=1))
    shop.does("update t set n = 9 where id = 1; commit; begin", path="/few", name="few", ledgered=Ledgered(budget=1))
    before = shop.look()
    assert [shop.client().post(path).status for path in ("/w", "/few")] == [403, 409]
    assert shop.look() == before


def test_rule_23_a_preview_that_waits_for_others_lets_writers_go_on(shop):
    shop, waited = shop(), []

    def w(request):
        request[DATABASE].execute(UP)
        began = time.monotonic()
        execute(shop.url, "set lock_timeout = '10s'; update t set title = 'mine' where id = 1")
        waited.append(time.monotonic() - began)
        request[DATABASE].execute(UP)
        return {}

    shop.write(w)
    assert preview(shop.client()).status == 409
    assert waited[0] > 0.9
    assert shop.look("select n, title from t where id = 1") == [(0, "mine")]


def test_rule_26_another_database_is_refused(shop):
    def source(request):
        with closing(sqlite3.connect(":memory:")) as connection:
            yield connection

    shop = shop(source=source)
    shop.write(lambda request: {})
    assert (preview(shop.client()).status, shop.client().post("/w").status) == (500, 500)


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_rule_31_the_agreement_s_address_is_that_of_the_mounted_app_and_nobody_keeps_it(interface, shop):
    shop = shop()
    shop.does(UP, ledgered=Ledgered(preview=True, agree=True), idempotent=True)
    outer, person = App(secret_keys=["of a test, and not secret"]), {"x-person": "yes"}
    outer.mount("/shop", shop.app)
    with Client(outer, interface, headers={"authorization": "Bearer of-ann"}, raise_errors=False) as client:
        seen = client.post("/shop/.preview", json={"method": "POST", "target": "/shop/w"})
        assert seen.headers["cache-control"] == "no-store"
        assert client.get(seen.json["agreement"], headers=person).status == 200
        assert client.post(seen.json["agreement"], headers=person).status == 200
        assert client.post("/shop/w", headers={"if-changes": seen.json["if-changes"]}).status == 200


def test_rule_33_notes_of_columns_that_are_gone_can_be_read_and_erased(shop):
    made = shop()
    made.does("update t set title = 'cup' where id = 1")
    assert made.client().post("/w").status == 200
    execute(
        made.url,
        "alter table t rename title to name; alter table t drop n; alter table t add extra int not null default 7",
    )
    assert made.look("select new::text from antiphon_ledger.journal") == [('"title"=>"cup"',)]
    assert [each["rows"] for each in made.ledger.records.last(1)] == [1]
    assert made.ledger.records.erase("public.t", {"id": "1"}) == 1


def test_a_name_that_no_database_keeps_is_nobody(shop):
    made = shop()
    made.ledger._person = lambda request: "an\0n"
    made.does(UP)
    assert (preview(made.client()).status, made.client().post("/w").status) == (401, 401)


def test_rule_5_each_look_is_noted_also_if_it_is_refused(shop):
    shop = shop()
    agreed = {"ledgered": Ledgered(preview=True, agree=True, budget=9), "idempotent": True}
    shop.does(UP, tool=True, **agreed)
    shop.does("insert into t (n) select 1 from generate_series(1, 10)", path="/many", name="many", **agreed)
    client = shop.client()
    assert preview(client).status == 200
    assert preview(client, "/many").status == 403
    assert client.post("/w", headers=OTHER).status == 412
    assert client.post("/w").status == 428
    assert client.tools.when_asked(lambda question: False).call("w").is_error
    noted = [(each["kind"], each["caller"], each["route"], each["rows"]) for each in shop.ledger.records.last(9)]
    assert noted == [
        ("refused", "ann", "POST /w", 1),  # declined
        ("refused", "ann", "POST /w", 1),  # asked
        ("refused", "ann", "POST /w", 1),
        ("refused", "ann", "POST /w", 1),
        ("preview", "ann", "POST /many", 0),
        ("preview", "ann", "POST /w", 1),
    ]


def test_rule_5_who_looks_without_a_note_sees_nothing(shop):
    shop = shop()
    shop.does(UP)
    execute(shop.url, "alter table antiphon_ledger.request add check (kind <> 'preview')")
    seen = preview(shop.client())
    assert (seen.status, "changes" in seen.text) == (500, False)


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_rule_5_a_preview_has_a_trace(interface, shop):
    spans, tracer = InMemorySpanExporter(), TracerProvider()
    tracer.add_span_processor(SimpleSpanProcessor(spans))
    shop = shop()
    shop.app.use(OpenTelemetry(tracer_provider=tracer))
    shop.does(UP)
    assert preview(shop.client(interface)).status == 200
    names = [each.name for each in spans.get_finished_spans() if each.kind is SpanKind.SERVER]
    assert names == ["POST /.preview"]


def test_rule_6_requests_share_few_connections_of_the_ledger(shop):
    shop = shop(previews=2)
    shop.does(UP, ledgered=Ledgered(preview=True, agree=True), idempotent=True)
    client, person = shop.client(), {"x-person": "yes"}
    page = preview(client).json["agreement"]
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%antiphon_ledger%'"
    with psycopg.connect(shop.url) as other, ThreadPoolExecutor(6) as threads:
        other.execute("lock table antiphon_ledger.agreement")
        shown = [threads.submit(lambda: client.get(page, headers=person).status) for _ in range(6)]
        eventually(lambda: shop.look(waiting) == [(2,)], "two wait")
        wait(shown, timeout=0.3)  # for more that would come
        assert shop.look(waiting) == [(2,)]
        other.rollback()
        assert [each.result() for each in shown] == [200] * 6


def test_rule_6_previews_never_take_connections_of_other_requests(shop):
    used = []

    def source(request):
        used.append(is_guarded(request))
        yield from made.source(request)

    made = shop(source=source)
    made.does(UP)
    client = made.client()
    assert (preview(client).status, client.post("/w").status) == (200, 200)
    assert used == [True, False]


def test_rule_32_old_notes_go_with_their_partitions_and_keys_are_erased(shop):
    made = shop()
    made.does("update t set id = 70, title = 'vic' where id = 1; update t set n = 5 where id = 70")
    made.does("update t set title = 'of another' where id = 2", path="/other", name="other")
    assert [made.client().post(path).status for path in ("/w", "/other")] == [200, 200]
    noted = "select count(*) from antiphon_ledger.journal where key::text ~ '70|\"1\"' or concat(old, new) ~ '70|vic'"
    assert made.look(noted) == [(2,)]
    assert made.ledger.records.erase("public.t", {"id": "70"}) == 2  # also by the key that it had before
    assert made.look(noted) == [(0,)]
    assert made.look("select count(*) from antiphon_ledger.journal where new::text like '%another%'") == [(1,)]

    parts = "select inhrelid::regclass::text from pg_inherits where inhparent = 'antiphon_ledger.journal'::regclass"
    days = len(made.look(parts))
    assert days == 8  # those of a week, and one for all others
    execute(made.url, "create table antiphon_ledger.journal_20260101 partition of antiphon_ledger.journal"
            " for values from ('2026-01-01') to ('2026-01-02')")  # fmt: skip
    execute(made.url, "update antiphon_ledger.journal set at = '2026-01-01 12:00Z'")
    assert made.look("select count(*) from antiphon_ledger.journal_20260101") == [(3,)]
    made.ledger.records.prune(made.ledger.keep)
    assert len(made.look(parts)) == days
    assert made.look("select count(*) from antiphon_ledger.journal") == [(0,)]
