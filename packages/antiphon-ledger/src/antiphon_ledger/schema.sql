-- The journal, in a schema of its own, which the application's role can read and write by these functions only.
-- {hstore} is the schema of the extension, {role} the application's role.

create table antiphon_ledger.secret (is_it bool primary key default true check (is_it), value bytea not null);
insert into antiphon_ledger.secret (value) values (sha256(convert_to(
    gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

create table antiphon_ledger.request (
    id uuid primary key default gen_random_uuid(), xid xid8 unique, kind text not null, caller text not null,
    credential text not null, agent text not null, route text not null, at timestamptz not null default now(),
    "lock" bytea, most int, besides text[] not null, base jsonb, rows int not null default 0, tally bigint,
    is_closed bool not null default false);
create index on antiphon_ledger.request (at);
create table antiphon_ledger.journal (
    n bigserial, request uuid not null, at timestamptz not null default now(), rel oid not null, op "char" not null,
    key {hstore}.hstore not null, old {hstore}.hstore, new {hstore}.hstore) partition by range (at);
create table antiphon_ledger.journal_rest partition of antiphon_ledger.journal default;
create index on antiphon_ledger.journal (request);
create index on antiphon_ledger.journal (at);
create table antiphon_ledger.agreement (
    id uuid primary key default gen_random_uuid(), caller text not null, digest text not null, route text not null,
    question text not null, made timestamptz not null default clock_timestamp(), agreed timestamptz, used timestamptz);
create unique index on antiphon_ledger.agreement (caller, digest) where used is null;
create table antiphon_ledger.guard (request uuid primary key);

-- The tables, and the catalogue's, that this transaction has written, and how many rows.
create view antiphon_ledger.written as
    select relid, schemaname, schemaname || '.' || relname as name, n_tup_ins + n_tup_upd + n_tup_del as n
    from pg_stat_xact_all_tables where n_tup_ins + n_tup_upd + n_tup_del > 0
        and schemaname !~ '^(antiphon_ledger$|pg_temp_|pg_toast)';

create function antiphon_ledger.tally(besides text[]) returns bigint language sql volatile security definer
set search_path = pg_catalog, pg_temp as $f$
    select coalesce(sum(n), 0)::bigint from antiphon_ledger.written where name <> all (besides) $f$;

-- What this transaction has written, emptied, changed or set back unseen. ``base`` has the counts at its beginning: the
-- server tells those of earlier transactions, too, for a second.
create function antiphon_ledger.unseen(besides text[], base jsonb) returns text[] language sql volatile security definer
set search_path = pg_catalog, pg_temp as $f$
    with locked as (select nspname, nspname || '.' || relname as name, mode, relkind, relpersistence from pg_locks
        join pg_class as c on c.oid = relation join pg_namespace as s on s.oid = relnamespace
        where pid = pg_backend_pid())
    select coalesce(array_agg(distinct name order by name), '{{}}') from (
        select name from antiphon_ledger.written
        where n > coalesce((base ->> relid::text)::bigint, 0) and not exists (
            select from pg_trigger where tgrelid = relid and tgname = 'zz_antiphon_ledger' and tgenabled in ('A', 'O'))
        and not (schemaname = 'pg_catalog' and name !~ 'largeobject' and exists (  -- temporary tables are in there
            select from locked where relpersistence = 't' and mode = 'AccessExclusiveLock'))
        union all select name from locked where nspname !~ '^pg_' and (
            -- of TRUNCATE and DDL, such as that of a trigger, but of LOCK TABLE, too
            (mode in ('AccessExclusiveLock', 'ShareRowExclusiveLock') and relkind in ('r', 'p', 'm', 'S', 'v'))
            or (mode <> 'AccessShareLock' and relkind = 'f'))
        union all select name from (select schemaname || '.' || sequencename as name, * from pg_sequences) as s
        where base -> 'sequences' ->> name is not null and coalesce(  -- by setval, which no rollback takes back
            (last_value - (base -> 'sequences' ->> name)::bigint) * sign(increment_by), -1) < 0
    ) as found where name <> all (besides) $f$;

create function antiphon_ledger.locks() returns bigint language sql volatile set search_path = pg_catalog, pg_temp as $f$
    select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() $f$;

create function antiphon_ledger.open(is_armed bool, caller text, credential text, agent text, route text, token bytea,
    most int, besides text[], is_preview bool) returns uuid language plpgsql security definer
set search_path = pg_catalog, pg_temp as $f$ declare made uuid; begin
    if has_table_privilege(session_user, 'antiphon_ledger.journal', 'insert, update, delete')
        or pg_has_role(session_user, 'pg_execute_server_program', 'member')
        or pg_has_role(session_user, 'pg_write_server_files', 'member') then
        raise exception 'the role % could write the journal, or files', session_user using errcode = 'LD001'; end if;
    if is_armed and current_setting('default_transaction_read_only') <> 'on' then
        raise exception 'a rollback would let the handler write unseen' using errcode = 'LD002'; end if;
    if is_armed and (current_setting('track_counts') <> 'on' or exists (
        select from pg_locks join pg_class as c on c.oid = relation join pg_namespace as s on s.oid = relnamespace
        where pid = pg_backend_pid() and mode not in ('AccessShareLock', 'RowShareLock') and relkind in ('r', 'p', 'f')
            and nspname !~ '^pg_' and nspname <> 'antiphon_ledger' and nspname || '.' || relname <> all (besides))) then
        raise exception 'written before the handler, or not counted' using errcode = 'LD003'; end if;
    if is_preview and not pg_try_advisory_xact_lock(6038116, hashtext(caller)) then
        raise exception 'one preview at a time' using errcode = 'LD004'; end if;
    -- A database that was restored may have given its numbers before.
    update antiphon_ledger.request as r set xid = null where r.xid = pg_current_xact_id() and r.at <> now();
    insert into antiphon_ledger.request (xid, kind, caller, credential, agent, route, "lock", most, besides, base)
    values (pg_current_xact_id(), case when is_preview then 'preview' else 'write' end, caller, credential, agent, route,
        sha256(token), most, besides, (select coalesce(jsonb_object_agg(relid, n), '{{}}') from antiphon_ledger.written)
        || case when is_preview then jsonb_build_object('locks', antiphon_ledger.locks(), 'sequences', (
            select jsonb_object_agg(schemaname || '.' || sequencename, last_value) from pg_sequences)) else '{{}}' end
    ) returning id into made;
    if is_armed then insert into antiphon_ledger.guard values (made); end if;
    return made; end $f$;

create function antiphon_ledger.hidden(given {hstore}.hstore, clear text[]) returns {hstore}.hstore language sql stable
set search_path = pg_catalog, {hstore}, pg_temp as $f$
    select coalesce(hstore(array_agg(e.key), array_agg(case
        when e.value is null or e.key = any (clear) then e.value
        when e.value in (now()::text, now()::timestamp::text) then '<now>'
        else '#' || encode(sha256(s.value || convert_to(e.key || '=' || e.value, 'UTF8')), 'hex') end)), '')
    from each(given) as e, antiphon_ledger.secret as s $f$;

create function antiphon_ledger.note() returns trigger language plpgsql security definer
set search_path = pg_catalog, {hstore}, pg_temp set timezone = 'UTC' set datestyle = 'ISO' set intervalstyle = 'postgres'
set bytea_output = 'hex' set extra_float_digits = 1 set row_security = off as $f$
declare r antiphon_ledger.request; o hstore; w hstore; k hstore; begin
    select * into r from antiphon_ledger.request where xid = pg_current_xact_id();
    if not found then return null; end if;
    if TG_OP <> 'INSERT' then o := hstore(OLD); end if;
    if TG_OP <> 'DELETE' then w := hstore(NEW); end if;
    if o = w then return null; end if;
    if r.is_closed then raise exception 'written after the checks' using errcode = 'LD010'; end if;
    if r.most is not null then
        update antiphon_ledger.request as q set rows = q.rows + 1 where q.id = r.id and q.rows < r.most;
        if not found then raise exception 'more rows than allowed' using errcode = 'LD011'; end if;
    end if;
    k := slice(coalesce(o, w), TG_ARGV[0]::text[]);
    insert into antiphon_ledger.journal (request, rel, op, key, old, new)
    values (r.id, coalesce(pg_partition_root(TG_RELID), TG_RELID), left(TG_OP, 1)::"char", k,
        antiphon_ledger.hidden(case TG_OP when 'UPDATE' then o - w else o end, TG_ARGV[1]::text[]),
        antiphon_ledger.hidden(case TG_OP when 'UPDATE' then w - o else w end, TG_ARGV[1]::text[]));
    return null; end $f$;

create function antiphon_ledger.refuse_truncate() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $f$ begin
    if exists (select from antiphon_ledger.request where xid = pg_current_xact_id()) then
        raise exception 'TRUNCATE can''t be shown: delete the rows' using errcode = 'LD005'; end if;
    return null; end $f$;

-- At the commit: only ``passed`` lets it happen, and only with what was checked.
create function antiphon_ledger.refuse() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $f$
declare r antiphon_ledger.request; begin select * into r from antiphon_ledger.request where id = NEW.request;
    if exists (select from antiphon_ledger.guard where request = NEW.request) or not coalesce(r.is_closed, false) then
        raise exception 'the ledger has not let this be committed' using errcode = 'LD012'; end if;
    if antiphon_ledger.tally(r.besides) <> r.tally or cardinality(antiphon_ledger.unseen(r.besides, r.base)) > 0 then
        raise exception 'written after the checks' using errcode = 'LD010'; end if;
    return null; end $f$;
create constraint trigger refuse after insert on antiphon_ledger.guard deferrable initially deferred
for each row execute function antiphon_ledger.refuse();
alter table antiphon_ledger.guard enable always trigger refuse;

create function antiphon_ledger.seen(made uuid, token bytea) returns text language plpgsql security definer
set search_path = pg_catalog, {hstore}, pg_temp set timezone = 'UTC' set datestyle = 'ISO' as $f$
declare r antiphon_ledger.request; found json; held bigint := antiphon_ledger.locks(); unseen text[]; begin
    select * into r from antiphon_ledger.request
    where id = made and xid = pg_current_xact_id() and "lock" = sha256(token) and not is_closed;
    if r.id is null and current_setting('default_transaction_read_only') = 'on' then
        raise exception 'the handler has ended the transaction itself' using errcode = 'LD013'; end if;
    if r.id is null then
        return json_build_object('unseen', array['more, after it had ended its transaction'])::text; end if;
    unseen := antiphon_ledger.unseen(r.besides, r.base);
    if r.base ->> 'locks' = '1' then  -- that of the preview; a rollback doesn't release those of the session
        perform pg_advisory_unlock_all();
        if antiphon_ledger.locks() < held then unseen := unseen || 'a lock of the session'::text; end if;
    end if;
    with noted as (select * from antiphon_ledger.journal where request = r.id),
    column_of as (select rel, a.attnum, a.attname::text as name, a.atthasdef or a.attidentity <> '' as is_made
        from (select distinct rel from noted) as n join pg_attribute as a on a.attrelid = n.rel and a.attnum > 0)
    select json_build_object(
        'unseen', unseen, 'now', json_build_array(now()::text, now()::timestamp::text),
        'notes', (select json_agg(json_build_object('table', rel::regclass::text, 'op', op,
            'key', hstore_to_json(key), 'old', hstore_to_json(old), 'new', hstore_to_json(new)) order by n) from noted),
        'made', (select json_agg(json_build_array(c.rel::regclass::text, c.name)) from column_of as c
            join pg_index as i on i.indrelid = c.rel and i.indisprimary and c.attnum = any (i.indkey) where c.is_made),
        'links', (select json_agg(json_build_array(
                c.rel::regclass::text, c.name, k.confrelid::regclass::text, t.attname::text))
            from column_of as c join pg_constraint as k on k.conrelid = c.rel and k.contype = 'f'
                and k.conparentid = 0 and cardinality(k.conkey) = 1 and k.conkey[1] = c.attnum
            join pg_attribute as t on t.attrelid = k.confrelid and t.attnum = k.confkey[1])
    ) into found;
    return found::text; end $f$;

create function antiphon_ledger.passed(made uuid, token bytea, number int, agreed_digest text, is_accepted bool)
returns bool language plpgsql security definer set search_path = pg_catalog, pg_temp as $f$
declare r antiphon_ledger.request; begin
    update antiphon_ledger.request as q set is_closed = true, "lock" = null, rows = number,
        tally = antiphon_ledger.tally(q.besides)
    where q.id = made and q.xid = pg_current_xact_id() and q."lock" = sha256(token) and q.kind = 'write' returning * into r;
    if r.id is null then
        raise exception 'the handler has ended the transaction itself' using errcode = 'LD013'; end if;
    if agreed_digest is not null then
        update antiphon_ledger.agreement as a set used = clock_timestamp(), agreed = coalesce(a.agreed, clock_timestamp())
        where a.caller = r.caller and a.digest = agreed_digest and a.used is null
            and (is_accepted or a.agreed is not null) and a.made > clock_timestamp() - interval '10 minutes';
        if not found then return false; end if;
    end if;
    delete from antiphon_ledger.guard where request = made;
    return true; end $f$;

-- Remove what notes have of a row, also by the keys that it had before and after, and all questions, which may have it.
create function antiphon_ledger.erase(place text, row_key text) returns bigint language sql volatile
set search_path = pg_catalog, {hstore}, pg_temp as $f$
    with recursive known(it) as (
        select hstore(array_agg(e.key), array_agg(e.value)) from jsonb_each_text(row_key::jsonb) as e
        union select unnest(array[key, key || slice(coalesce(new, ''), akeys(key))]) from antiphon_ledger.journal
        join known on rel = to_regclass(place) and it in (key, key || slice(coalesce(new, ''), akeys(key)))),
    forgotten as (delete from antiphon_ledger.agreement),
    erased as (update antiphon_ledger.journal set key = '', old = null, new = null
        where rel = to_regclass(place) and key in (table known) returning 1)
    select count(*) from erased $f$;

-- Delete what is older: of notes, whole days by their partitions. Make those of the next days.
create function antiphon_ledger.prune(since timestamptz) returns void language plpgsql
set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO' set lock_timeout = '2s' as $f$
declare name text; begin
    for name in select inhrelid::regclass from pg_inherits where inhparent = 'antiphon_ledger.journal'::regclass
        and inhrelid::regclass::text < 'antiphon_ledger.journal_' || to_char(since, 'YYYYMMDD') loop
        execute 'drop table ' || name; end loop;
    for n in 1..7 loop
        name := 'antiphon_ledger.journal_' || to_char(now() + n * interval '1 day', 'YYYYMMDD');
        execute format('create table if not exists %s partition of antiphon_ledger.journal for values from (%L) to (%L)',
            name, current_date + n, current_date + n + 1); end loop;
    delete from antiphon_ledger.journal where at < since;
    delete from antiphon_ledger.request where at < since;
    delete from antiphon_ledger.agreement where made < now() - interval '10 minutes'; end $f$;
select antiphon_ledger.prune('-infinity');

revoke all on all functions in schema antiphon_ledger from public;
grant usage on schema antiphon_ledger to {role};
grant execute on function antiphon_ledger.open, antiphon_ledger.seen, antiphon_ledger.passed to {role};
