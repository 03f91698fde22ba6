-- The application role writes uses through ledger_note alone, and cannot change what was written.
revoke all on ledger_use, ledger_entry, ledger_pending, ledger_leaf, ledger_tile, ledger_head from {app};
grant select on ledger_use, ledger_entry, ledger_leaf, ledger_tile, ledger_head to {app};

-- What makes subjects' hashes useless to whoever has only a copy of the entries.
create table if not exists ledger_pepper (one boolean primary key default true check (one), pepper bytea not null);
insert into ledger_pepper (pepper)
select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) on conflict do nothing;
revoke all on ledger_pepper from {app};

create or replace function ledger_subject(p_kind text, p_key text) returns bytea
language sql stable security definer set search_path = public as $$
  select sha256(pepper || convert_to(p_kind || ':' || p_key, 'UTF8')) from ledger_pepper
$$;
revoke all on function ledger_subject(text, text) from public;

-- Ids in the order of time, so that their index grows at one end (UUID version 7, RFC 9562).
create or replace function ledger_id() returns uuid language sql volatile as $$
  select encode(
    overlay(uuid_send(gen_random_uuid())
      placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6)
    , 'hex')::uuid
$$;

-- One use and its entries, in the transaction of the read. See commitments.py for the bytes. p_org: the office whose
-- right it was to read, where only one's was; otherwise all for which the actor works, not those that he oversees.
drop function if exists ledger_note(uuid, text, text, text, text, uuid, date, text, text[], boolean[]);
create or replace function ledger_note(
  p_use uuid, p_source text, p_fields text, p_purpose text, p_basis text, p_case uuid, p_visible_from date,
  p_kind text, p_keys text[], p_found boolean[], p_org uuid default null
) returns void language plpgsql security definer set search_path = public as $$
declare
  v_actor text := coalesce(current_setting('app.actor', true), '');
  v_orgs uuid[] := case when p_org is not null then array[p_org]
                        else coalesce(nullif(current_setting('app.posts', true), ''), '{}')::uuid[] end;
  v_at timestamptz := clock_timestamp();
  v_salt bytea := uuid_send(gen_random_uuid());
  v_text text;
  v_digest bytea;
begin
  if v_actor in ('', 'visitor') then
    raise exception 'ledger_note: nobody is acting' using errcode = 'insufficient_privilege';
  end if;
  v_text := jsonb_build_array(
    p_use::text, to_char(v_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), v_actor,
    array_to_string(v_orgs, ','), p_source, p_fields, p_purpose, p_basis, p_case::text, p_visible_from::text
  )::text;
  v_digest := sha256(v_salt || convert_to(v_text, 'UTF8'));
  insert into ledger_use (id, at, actor, orgs, source, fields, purpose, basis, case_id, visible_from, text, salt, digest)
  values (p_use, v_at, v_actor, v_orgs, p_source, p_fields, p_purpose, coalesce(p_basis, ''), p_case, p_visible_from,
          v_text, v_salt, v_digest);
  with pepper as (
    select pepper from ledger_pepper
  ), made as materialized (
    select ledger_id() as id, sha256(pepper || convert_to(p_kind || ':' || k.key, 'UTF8')) as subject, k.found,
           uuid_send(gen_random_uuid()) as salt
    from unnest(p_keys, p_found) as k(key, found), pepper
  ), written as (
    insert into ledger_entry (id, use_id, subject, found, visible_from, salt, commitment)
    select made.id, p_use, made.subject, made.found, p_visible_from, made.salt,
           sha256(made.salt || v_digest || made.subject || case when made.found then '\x01'::bytea else '\x00'::bytea end)
    from made
    returning id, commitment
  )
  insert into ledger_pending (entry_id, commitment) select id, commitment from written;
end $$;
revoke all on function ledger_note(uuid, text, text, text, text, uuid, date, text, text[], boolean[], uuid) from public;
grant execute on function ledger_note(uuid, text, text, text, text, uuid, date, text, text[], boolean[], uuid) to {app};

-- The hash under which the acting subject's own uses lie; nobody can ask for somebody else's.
create or replace function ledger_own_subject() returns bytea
language plpgsql stable security definer set search_path = public as $$
declare
  v_subject uuid := nullif(current_setting('app.subject', true), '')::uuid;
  v_key text;
begin
  select idno into v_key from accounts_person where id = v_subject;
  if v_key is not null then return ledger_subject('person', v_key); end if;
  select uscc into v_key from accounts_enterprise where id = v_subject;
  if v_key is not null then return ledger_subject('enterprise', v_key); end if;
  return null;
end $$;
revoke all on function ledger_own_subject() from public;
grant execute on function ledger_own_subject() to {app};

-- Whoever looks after data in general answers where an office cannot.
create or replace function ledger_steward() returns boolean
language sql stable security definer set search_path = public as $$
  select exists (
    select 1 from orgs_post
    where person_id = nullif(current_setting('app.person', true), '')::uuid
      and 'steward' = any (roles) and since <= (now() at time zone 'Asia/Shanghai')::date and (until is null or until >= (now() at time zone 'Asia/Shanghai')::date)
      and org_id = any (coalesce(nullif(current_setting('app.orgs', true), ''), '{}')::uuid[])
  )
$$;
revoke all on function ledger_steward() from public;
grant execute on function ledger_steward() to {app};

alter table ledger_entry enable row level security;
drop policy if exists own on ledger_entry;
create policy own on ledger_entry for select to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject = (select ledger_own_subject()) and (visible_from is null or visible_from <= (now() at time zone 'Asia/Shanghai')::date)
);
alter table ledger_use enable row level security;
drop policy if exists own on ledger_use;
create policy own on ledger_use for select to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or exists (select 1 from ledger_entry e where e.use_id = ledger_use.id)
  or exists (select 1 from ledger_doubt d where d.use_id = ledger_use.id and ((select ledger_steward())
             or d.org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])))
);

-- The tree grows by the system alone, through these two.
create or replace function ledger_take(p_most integer) returns table (entry_id uuid, commitment bytea)
language plpgsql security definer set search_path = public as $$
begin
  if coalesce(current_setting('app.system', true), '') <> 'on' then
    raise exception 'ledger_take: only the system' using errcode = 'insufficient_privilege';
  end if;
  return query delete from ledger_pending p
    where p.ctid = any (array(select q.ctid from ledger_pending q limit p_most for update skip locked))
    returning p.entry_id, p.commitment;
end $$;
create or replace function ledger_grow(
  p_first bigint, p_entries uuid[], p_levels smallint[], p_numbers bigint[], p_hashes bytea[]
) returns void language plpgsql security definer set search_path = public as $$
begin
  if coalesce(current_setting('app.system', true), '') <> 'on' then
    raise exception 'ledger_grow: only the system' using errcode = 'insufficient_privilege';
  end if;
  insert into ledger_leaf (position, entry_id)
  select p_first + n - 1, id from unnest(p_entries) with ordinality as e(id, n);
  insert into ledger_tile (level, number, hashes)
  select * from unnest(p_levels, p_numbers, p_hashes)
  on conflict (level, number) do update set hashes = excluded.hashes
    where length(excluded.hashes) > length(ledger_tile.hashes);
end $$;
create or replace function ledger_publish(p_size bigint, p_root bytea, p_note text) returns void
language plpgsql security definer set search_path = public as $$
begin
  if coalesce(current_setting('app.system', true), '') <> 'on' then
    raise exception 'ledger_publish: only the system' using errcode = 'insufficient_privilege';
  end if;
  insert into ledger_head (size, root, at, note, mailed) values (p_size, p_root, now(), p_note, false)
  on conflict do nothing;
end $$;
create or replace function ledger_mailed(p_size bigint) returns void
language sql security definer set search_path = public as $$ update ledger_head set mailed = true where size = p_size $$;

-- Personal details go, the tree stays whole: see commitments.py. What goes is named in the ledger first, by commitment
-- and digest, a use for each two hundred. Uses of an investigation that their subject has not been told of are kept.
-- SQLSTATE YL001: a doubt about one of them waits for its answer.
drop function if exists ledger_erase(text, text);
create or replace function ledger_erase(
  p_kind text, p_key text, p_entry uuid, p_purpose text, p_basis text
) returns table (erased bigint, kept bigint) language plpgsql security definer set search_path = public as $$
declare
  v_subject bytea := case when p_entry is null then ledger_subject(p_kind, p_key) end;
  v_ids uuid[];
  v_part uuid[];
begin
  if coalesce(current_setting('app.system', true), '') <> 'on' then
    raise exception 'ledger_erase: only the system' using errcode = 'insufficient_privilege';
  end if;
  select coalesce(array_agg(e.id order by e.id) filter (where coalesce(e.visible_from, (now() at time zone 'Asia/Shanghai')::date) <= (now() at time zone 'Asia/Shanghai')::date), '{}'),
         count(*) filter (where e.visible_from > (now() at time zone 'Asia/Shanghai')::date)
    into v_ids, kept from ledger_entry e
    where e.salt is not null and case when p_entry is null then e.subject = v_subject else e.id = p_entry end;
  if exists (select 1 from ledger_entry e join ledger_doubt d on d.use_id = e.use_id
             where e.id = any (v_ids) and d.answered_at is null) then
    raise exception 'ledger_erase: a doubt waits for its answer' using errcode = 'YL001';
  end if;
  for n in 0 .. (cardinality(v_ids) - 1) / 200 loop
    v_part := v_ids[n * 200 + 1 : n * 200 + 200];
    exit when cardinality(v_part) = 0;
    perform ledger_note(
      ledger_id(), 'ledger.erasure',
      string_agg(encode(e.commitment, 'hex') || ':' || encode(u.digest, 'hex'), ',' order by e.id),
      p_purpose, p_basis, null, null, 'erasure', array[min(e.id::text)], array[true])
      from ledger_entry e join ledger_use u on u.id = e.use_id where e.id = any (v_part);
  end loop;
  update ledger_entry e set subject = null, salt = null where e.id = any (v_ids);
  erased := cardinality(v_ids);
  return next;
end $$;
revoke all on function ledger_take(integer), ledger_grow(bigint, uuid[], smallint[], bigint[], bytea[]),
  ledger_publish(bigint, bytea, text), ledger_mailed(bigint), ledger_erase(text, text, uuid, text, text) from public;
grant execute on function ledger_take(integer), ledger_grow(bigint, uuid[], smallint[], bigint[], bytea[]),
  ledger_publish(bigint, bytea, text), ledger_mailed(bigint), ledger_erase(text, text, uuid, text, text) to {app};

revoke delete, truncate on ledger_doubt from {app};
alter table ledger_doubt enable row level security;
drop policy if exists concerned on ledger_doubt;
create policy concerned on ledger_doubt to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
  or (select ledger_steward())
);

create or replace function ledger_append_only() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and tg_table_name = 'ledger_entry' and new.commitment = old.commitment
     and new.subject is null and new.salt is null and new.use_id = old.use_id and new.found = old.found then
    return new; -- erased
  end if;
  raise exception 'the ledger is append-only';
end $$;
drop trigger if exists append_only on ledger_use;
create trigger append_only before update or delete on ledger_use for each row execute function ledger_append_only();
drop trigger if exists append_only on ledger_entry;
create trigger append_only before update or delete on ledger_entry for each row execute function ledger_append_only();
drop trigger if exists append_only on ledger_leaf;
create trigger append_only before update or delete on ledger_leaf for each row execute function ledger_append_only();
