# ruff: noqa: E501 - a row is easier to read in one line
"""Statements by which a handler could write unseen: each is shown or refused, and nothing of it stays."""

import pytest

from antiphon_ledger import Ledgered
from tests.features.ledger.shop import BEGIN, preview
from tests.helpers.postgres import execute

pytestmark = [pytest.mark.once, pytest.mark.processes]

MORE = f"""{BEGIN}; create table log (x int); create table w (id serial primary key, n int); insert into w (n) values (0);
create function logging() returns trigger language plpgsql security definer
    as 'begin insert into public.log values (1); return new; end';
create trigger logging after update on w for each row execute function logging();
create view v as select id, n from t; create function instead() returns trigger language plpgsql
    as 'begin update t set n = new.n where id = old.id; insert into log values (1); return new; end';
create trigger instead instead of update on v for each row execute function instead();
create function of_its_owner() returns void language sql security definer as 'insert into log values (2)';
create table part (id int primary key, n int) partition by range (id); insert into u values (2);
create table part1 partition of part for values from (0) to (10);
create table part2 partition of part for values from (10) to (20); insert into part values (1, 0);
create materialized view seen as select * from t; create unlogged table quick (id int)"""
OWNED = "t", "u", "part", "part1", "part2", "seen", "quick"
LOOK = "t", "u", "w", "log", "part", "quick", "seen"
STATEMENTS = [  # what a handler carries out, the status of a preview, and of a real write with If-Changes and a budget
    ("update w set n = 1", 409, 409),
    ("update v set n = 7 where id = 1", 409, 409),
    ("select of_its_owner()", 409, 409),
    ("update part1 set n = 3", 200, 412),
    ("update part set id = 12", 200, 412),
    ("truncate part1", 409, 409),
    ("alter table part detach partition part2", 409, 409),
    ("refresh materialized view seen", 409, 409),
    ("insert into quick values (1)", 409, 409),
    ("create temp table made as select * from t; update made set n = 9; drop table made", 409, 409),
    ("savepoint a; update t set n = 3; rollback to a", 200, 412),
    ("savepoint a; insert into log values (1); rollback to a", 409, 409),
    ("set local session_replication_role = replica; update t set n = 3", 500, 500),
    ("alter table t disable trigger zz_antiphon_ledger; update t set n = 3", 409, 409),
    ("drop trigger zz_antiphon_ledger on t", 409, 409),
    ("update t set n = 3; commit and chain", 409, 409),
    ("update t set n = 3; rollback and chain; update t set n = 4", 409, 409),
    ("update t set n = 3; prepare transaction 'later'", 409, 409),
    ("vacuum t", 500, 500),
    ("create index concurrently on t (n)", 500, 500),
    ("cluster t using t_pkey", 409, 409),
    ("comment on table t is 'more'", 409, 409),
    ("drop schema antiphon_ledger cascade", 500, 500),
    ("set role antiphon", 500, 500),
    ("select pg_stat_clear_snapshot(); update u set x = 2", 409, 409),
    ("set track_counts = off; update u set x = 2", 500, 500),
    ("set stats_fetch_consistency = snapshot; update u set x = 2", 409, 409),
    ("select pg_stat_reset_single_table_counters('u'::regclass); update u set x = 2", 500, 500),
    ("merge into u using (values (1)) v (x) on u.x = v.x when matched then delete", 409, 409),
    ("do $$ begin update u set x = 9; exception when others then null; end $$", 409, 409),
    ("do $$ begin insert into u values (5); raise exception 'a'; exception when others then null; end $$", 409, 409),
    ("alter sequence t_id_seq restart with 1", 409, 409),
    ("alter role shop set work_mem = '1MB'", 409, 409),
]  # fmt: skip


def test_rules_20_to_22_a_statement_is_shown_or_refused(shop):
    shop = shop(begin=MORE, tables={f"public.{each}": ["id", "n"] for each in ("t", "w", "part")})
    execute(shop.url, "; ".join([f"alter table {each} owner to shop" for each in OWNED]))
    execute(shop.url, "grant all on log to shop; alter sequence t_id_seq owner to shop")
    for n, (statement, *_) in enumerate(STATEMENTS):
        shop.does(statement, path=f"/{n}", name=f"w{n}", ledgered=Ledgered(preview=True, budget=50))

    def look():
        return [shop.look(f"select * from {each} order by 1") for each in LOOK]

    client, before, found = shop.client(), look(), []
    for n, (statement, *_) in enumerate(STATEMENTS):
        previewed = preview(client, f"/{n}").status
        written = client.post(f"/{n}", headers={"if-changes": '"other"'}).status
        found.append((statement, previewed, written, look() == before))
    assert found == [(*row, True) for row in STATEMENTS]
    assert shop.look("select count(*) from pg_prepared_xacts") == [(0,)]
