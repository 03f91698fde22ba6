-- Classes and names of enterprises: no right for the application role but through these functions, which leave
-- entries in the ledger (kernel/ledger) in the same transaction. The run and the worker write as the owner.
revoke all on enterprise_grade, enterprise_gradechange, enterprise_name from {app};
revoke all on enterprise_indexed, enterprise_unlinked from {app};
revoke insert, update, delete, truncate on enterprise_run from {app};
revoke delete, truncate on enterprise_correction from {app};

alter table enterprise_correction enable row level security;
drop policy if exists concerned on enterprise_correction;
create policy concerned on enterprise_correction to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);

-- For hub_granted, of records by the values of their keys as one text (SEPARATOR of risk/contracts.py): whether a request
-- for correction is open, and from which day a repair takes effect. enterprise_repaired: see repairing.py.
drop function if exists hub_disputed(text, text[]);
create or replace function hub_marks(p_dataset text, p_keys text[]) returns table (key text, disputed boolean, repaired date)
language plpgsql stable set search_path = public as $$
begin
  if to_regprocedure('enterprise_repaired(text,text[])') is null then
    return query select c.key::text, true, null::date from enterprise_correction c
      where c.dataset = p_dataset and c.key = any (p_keys) and c.done_at is null and c.freezes;
    return;
  end if;
  return query select m.key, bool_or(m.open), max(m.acts) from (
      select c.key::text as key, true as open, null::date as acts from enterprise_correction c
        where c.dataset = p_dataset and c.key = any (p_keys) and c.done_at is null and c.freezes
      union all select r.key, false, r.acts from enterprise_repaired(p_dataset, p_keys) r) m group by m.key;
end $$;
revoke all on function hub_marks(text, text[]) from public;

-- For hub_granted: of which records hub_marks says something else since a state. A minute is allowed for what was
-- being written at that moment: to hear of a record twice does no harm.
create or replace function hub_marked_since(p_dataset text, p_seq integer, p_pending integer[], p_at timestamptz)
returns setof text language plpgsql stable set search_path = public as $$
begin
  return query select c.key::text from enterprise_correction c
    where c.dataset = p_dataset and c.freezes and greatest(c.asked_at, c.done_at) > p_at - interval '1 minute';
  if to_regprocedure('enterprise_repaired_since(text,integer,integer[])') is not null then
    return query select r.key from enterprise_repaired_since(p_dataset, p_seq, p_pending) r;
  end if;
end $$;
revoke all on function hub_marked_since(text, integer, integer[], timestamptz) from public;

create or replace function enterprise_credit_staff() returns boolean
language sql stable security definer set search_path = public as $$
  select exists (
    select 1 from orgs_post
    where person_id = nullif(current_setting('app.person', true), '')::uuid
      and 'credit' = any (roles) and since <= (now() at time zone 'Asia/Shanghai')::date and (until is null or until >= (now() at time zone 'Asia/Shanghai')::date)
      and org_id = any (coalesce(nullif(current_setting('app.orgs', true), ''), '{}')::uuid[])
  )
$$;
revoke all on function enterprise_credit_staff() from public;
grant execute on function enterprise_credit_staff() to {app};
revoke delete, truncate on enterprise_link from {app};  -- the model's come from the collector, as the owner
alter table enterprise_link enable row level security;
drop policy if exists staff on enterprise_link;
create policy staff on enterprise_link to {app} using (
  (select current_setting('app.system', true)) = 'on' or (select enterprise_credit_staff())
);

-- The class of one enterprise and how it changed: {"grade": …, "changes": […]}, or {} when it has none.
create or replace function enterprise_grade_of(
  p_use uuid, p_uscc text, p_purpose text, p_basis text, p_visible_from date
) returns jsonb language plpgsql security definer set search_path = public as $$
declare
  v_found jsonb;
  v_changes jsonb;
begin
  if coalesce(p_purpose, '') = '' then
    raise exception 'enterprise_grade_of: no purpose' using errcode = 'insufficient_privilege';
  end if;
  select to_jsonb(g) into v_found from enterprise_grade g where uscc = p_uscc;
  select coalesce(jsonb_agg(to_jsonb(c) order by c.at desc), '[]') into v_changes
    from (select * from enterprise_gradechange where uscc = p_uscc order by at desc limit 50) c;
  perform ledger_note(p_use, 'enterprise.grade', '*', p_purpose, p_basis, null, p_visible_from, 'enterprise',
                      array[p_uscc], array[v_found is not null]);
  return case when v_found is null then '{}'::jsonb
              else jsonb_build_object('grade', v_found, 'changes', v_changes) end;
end $$;

-- By code, or by how the name begins, with or without its place. The exact name first, then the shorter.
create or replace function enterprise_search(
  p_use uuid, p_code text, p_plain text, p_core text, p_most integer, p_purpose text, p_basis text, p_visible_from date
) returns table (uscc varchar, name varchar, region varchar)
language plpgsql security definer set search_path = public as $$
declare
  v_keys text[];
begin
  if coalesce(p_purpose, '') = '' then
    raise exception 'enterprise_search: no purpose' using errcode = 'insufficient_privilege';
  end if;
  select array_agg(f.uscc) into v_keys from (
    select u.uscc from (
      (select n.uscc, n.plain from enterprise_name n where n.uscc = p_code)
      union (select n.uscc, n.plain from enterprise_name n where n.plain ~>=~ p_plain and n.plain ~<~ (p_plain || chr(1114111)) order by n.plain using ~<~ limit p_most)
      union (select n.uscc, n.plain from enterprise_name n where n.core ~>=~ p_core and n.core ~<~ (p_core || chr(1114111)) order by n.core using ~<~ limit p_most)
    ) u order by u.plain <> p_plain, length(u.plain), u.plain limit p_most
  ) f;
  if v_keys is not null then
    perform ledger_note(p_use, 'enterprise.name', 'name', p_purpose, p_basis, null, p_visible_from, 'enterprise',
                        v_keys, array_fill(true, array[cardinality(v_keys)]));
  end if;
  return query select n.uscc, n.name, n.region from unnest(v_keys) with ordinality k(code, place)
    join enterprise_name n on n.uscc = k.code order by k.place;
end $$;

revoke all on function enterprise_grade_of(uuid, text, text, text, date) from public;
revoke all on function enterprise_search(uuid, text, text, text, integer, text, text, date) from public;
grant execute on function enterprise_grade_of(uuid, text, text, text, date) to {app};
grant execute on function enterprise_search(uuid, text, text, text, integer, text, text, date) to {app};

-- What was stored of one enterprise's class at a moment: {change, after, grade, run, first_run}. change: the last one
-- until then; after: the next one; run: the last run over all that had begun.
create or replace function enterprise_grade_on(
  p_use uuid, p_uscc text, p_at timestamptz, p_purpose text, p_basis text, p_visible_from date
) returns jsonb language plpgsql security definer set search_path = public as $$
declare
  v_found jsonb;
begin
  if coalesce(p_purpose, '') = '' then
    raise exception 'enterprise_grade_on: no purpose' using errcode = 'insufficient_privilege';
  end if;
  select jsonb_build_object(
    'change', (select to_jsonb(c) from enterprise_gradechange c where uscc = p_uscc and at <= p_at order by at desc limit 1),
    'after', (select to_jsonb(c) from enterprise_gradechange c where uscc = p_uscc and at > p_at order by at limit 1),
    'grade', (select to_jsonb(g) from enterprise_grade g where uscc = p_uscc),
    'run', (select to_jsonb(r) - 'counts' - 'seconds' from enterprise_run r
            where began <= p_at and ended is not null order by began desc limit 1),
    'first_run', (select min(r."on") from enterprise_run r where ended is not null)) into v_found;
  perform ledger_note(p_use, 'enterprise.grade', '*', p_purpose, p_basis, null, p_visible_from, 'enterprise',
                      array[p_uscc], array[v_found ->> 'change' is not null or v_found ->> 'grade' is not null]);
  return v_found;
end $$;
revoke all on function enterprise_grade_on(uuid, text, timestamptz, text, text, date) from public;
grant execute on function enterprise_grade_on(uuid, text, timestamptz, text, text, date) to {app};

-- A key of enterprise_link as values of a dataset's key columns, as SQL over l.
create or replace function enterprise_link_key(p_dataset text, p_key jsonb) returns text language sql stable as $$
  select string_agg(format('split_part(l.key, e''\x1f'', %s)::%s', n, format_type(a.atttypid, a.atttypmod)), ', ' order by n)
    from jsonb_array_elements_text(p_key) with ordinality as x(k, n)
    join pg_attribute a on a.attrelid = to_regclass(format('hub.%I', p_dataset)) and a.attname = x.k
$$;
revoke all on function enterprise_link_key(text, jsonb) from public;

-- Records that came without a code and are linked to one subject, as they are now; "_link": what speaks for it.
create or replace function enterprise_linked_to(
  p_use uuid, p_dataset text, p_code text, p_purpose text, p_basis text, p_visible_from date
) returns setof jsonb language plpgsql security definer set search_path = public as $$
declare
  v_actor text := coalesce(current_setting('app.actor', true), '');
  v_field text;
  v_key jsonb;
begin
  if v_actor in ('', 'visitor') or coalesce(p_purpose, '') = '' then
    raise exception 'enterprise_linked_to: nobody is acting, or for no purpose' using errcode = 'insufficient_privilege';
  end if;
  select subject_field, key into v_field, v_key from hub_holding where dataset = p_dataset;
  if v_field is null or to_regclass(format('hub.%I', p_dataset)) is null
     or not exists (select 1 from enterprise_link where uscc = p_code and dataset = p_dataset and state = 'accepted') then
    return;
  end if;
  return query execute format(
    'select to_jsonb(v) || jsonb_build_object(''_link'', l.evidence) from enterprise_link l join hub.%I v on (%s) = (%s) '
    'where l.uscc = %L and l.dataset = %L and l.state = ''accepted'' and v.%I is null and not v._withdrawn '
    'order by v._valid_from desc',
    p_dataset, (select string_agg(format('v.%I', k), ', ' order by n) from jsonb_array_elements_text(v_key) with ordinality as x(k, n)),
    enterprise_link_key(p_dataset, v_key), p_code, p_dataset, v_field);
  perform ledger_note(p_use, 'hub.' || p_dataset, '*', p_purpose, p_basis, null, p_visible_from, 'enterprise',
                      array[p_code], array[found]);
end $$;
revoke all on function enterprise_linked_to(uuid, text, text, text, text, date) from public;
grant execute on function enterprise_linked_to(uuid, text, text, text, text, date) to {app};

-- Every version of every record that was ever about one subject, or linked to it: a record that was moved to somebody
-- else by a correction was his on the day before.
create or replace function enterprise_versions_of(
  p_use uuid, p_dataset text, p_code text, p_purpose text, p_basis text, p_visible_from date
) returns setof jsonb language plpgsql security definer set search_path = public as $$
declare
  v_actor text := coalesce(current_setting('app.actor', true), '');
  v_field text;
  v_key text;
  v_found boolean;
  v_linked text;
begin
  if v_actor in ('', 'visitor') or coalesce(p_purpose, '') = '' then
    raise exception 'enterprise_versions_of: nobody is acting, or for no purpose' using errcode = 'insufficient_privilege';
  end if;
  select subject_field, (select string_agg(format('%I', k), ', ' order by n) from jsonb_array_elements_text(key) with ordinality as x(k, n)),
         enterprise_link_key(p_dataset, key)
    into v_field, v_key, v_linked from hub_holding where dataset = p_dataset;
  if v_field is null or to_regclass(format('hub.%I', p_dataset || '_versions')) is null then
    return;
  end if;
  return query execute format(
    'select to_jsonb(v) from hub.%I v where (%s) in (select %s from hub.%I where %I = %L '
    'union select %s from hub.%I where %I = %L '
    'union select %s from enterprise_link l where l.uscc = %L and l.dataset = %L and l.accepted_at is not null) limit 5000',
    p_dataset || '_versions', v_key, v_key, p_dataset, v_field, p_code, v_key, p_dataset || '_hist', v_field, p_code,
    v_linked, p_code, p_dataset);
  v_found := found;
  perform ledger_note(p_use, 'hub.' || p_dataset, '*', p_purpose, p_basis, null, p_visible_from, 'enterprise',
                      array[p_code], array[v_found]);
end $$;
revoke all on function enterprise_versions_of(uuid, text, text, text, text, date) from public;
grant execute on function enterprise_versions_of(uuid, text, text, text, text, date) to {app};

-- Relations of one enterprise, both ways. Those on the other side are seen too, so each has an entry.
create or replace function enterprise_relations_of(
  p_use uuid, p_dataset text, p_of text, p_to text, p_code text, p_purpose text, p_basis text, p_visible_from date
) returns setof jsonb language plpgsql security definer set search_path = public as $$
declare
  v_actor text := coalesce(current_setting('app.actor', true), '');
  v_rows jsonb[];
  v_keys text[];
begin
  if v_actor in ('', 'visitor') or coalesce(p_purpose, '') = '' then
    raise exception 'enterprise_relations_of: nobody is acting, or for no purpose' using errcode = 'insufficient_privilege';
  end if;
  if to_regclass(format('hub.%I', p_dataset)) is null then
    return;
  end if;
  execute format(
    'select array_agg(r), array_agg(distinct other) from ((select to_jsonb(v) as r, %I::text as other from hub.%I v '
    'where %I = %L and not _withdrawn limit 500) union all (select to_jsonb(v), %I::text from hub.%I v '
    'where %I = %L and not _withdrawn limit 500)) u',
    p_to, p_dataset, p_of, p_code, p_of, p_dataset, p_to, p_code) into v_rows, v_keys;
  v_keys := array_append(array_remove(coalesce(v_keys, '{}'), p_code), p_code);
  perform ledger_note(p_use, 'hub.' || p_dataset, '*', p_purpose, p_basis, null, p_visible_from, 'enterprise', v_keys,
                      array_fill(v_rows is not null, array[cardinality(v_keys)]));
  return query select unnest(v_rows);
end $$;
revoke all on function enterprise_relations_of(uuid, text, text, text, text, text, text, date) from public;
grant execute on function enterprise_relations_of(uuid, text, text, text, text, text, text, date) to {app};

-- Differences between sources: officials with the post see that there are some, and decide; what is said, and of
-- whom, comes through the function alone.
revoke all on enterprise_conflict from {app};
grant select (id, fact, kind, dataset, other_dataset, state, verdict, found_at, correction_id) on enterprise_conflict to {app};
grant update (state, verdict, why, decided_by, decided_at, correction_id) on enterprise_conflict to {app};
revoke insert, update, delete, truncate on enterprise_conflictrun from {app};
alter table enterprise_conflict enable row level security;
drop policy if exists staff on enterprise_conflict;
create policy staff on enterprise_conflict to {app} using (
  (select current_setting('app.system', true)) = 'on' or (select enterprise_credit_staff())
);

create or replace function enterprise_conflicts_of(
  p_use uuid, p_ids uuid[], p_uscc text, p_purpose text, p_basis text, p_visible_from date
) returns setof jsonb language plpgsql security definer set search_path = public as $$
declare
  v_rows jsonb[];
  v_keys text[];
begin
  if coalesce(p_purpose, '') = '' then
    raise exception 'enterprise_conflicts_of: no purpose' using errcode = 'insufficient_privilege';
  end if;
  if not (enterprise_credit_staff() or coalesce(current_setting('app.system', true), '') = 'on'
          or (p_ids is null and exists (select 1 from accounts_enterprise where uscc = p_uscc
              and id = nullif(current_setting('app.subject', true), '')::uuid))) then
    raise exception 'enterprise_conflicts_of: not for you' using errcode = 'insufficient_privilege';
  end if;
  select array_agg(to_jsonb(c) || jsonb_build_object('name', coalesce(n.name, ''), 'region', coalesce(n.region, ''))
                   order by c.found_at desc, c.id),
         array_agg(distinct c.uscc::text) into v_rows, v_keys
    from enterprise_conflict c left join enterprise_name n on n.uscc = c.uscc
    where case when p_ids is null then c.uscc = p_uscc and c.state <> 'gone' else c.id = any (p_ids) end;
  if v_keys is not null then
    perform ledger_note(p_use, 'enterprise.conflict', '*', p_purpose, p_basis, null, p_visible_from, 'enterprise',
                        v_keys, array_fill(true, array[cardinality(v_keys)]));
  end if;
  return query select unnest(v_rows);
end $$;
revoke all on function enterprise_conflicts_of(uuid, uuid[], text, text, text, date) from public;
grant execute on function enterprise_conflicts_of(uuid, uuid[], text, text, text, date) to {app};

-- Which records enterprises say are wrong, for what is public of them (domains/publicity): the owner alone may ask.
-- p_keys: of records of one dataset; delivery: the one that had brought what is in dispute.
create or replace function enterprise_disputes(p_dataset text, p_keys text[])
returns table (key varchar, state varchar, delivery integer) language sql stable set search_path = public as $$
  select key, state, delivery from enterprise_correction
  where freezes and done_at is null and dataset = p_dataset and key = any (p_keys)
$$;
create or replace function enterprise_dispute(p_correction uuid)
returns table (dataset varchar, key varchar) language sql stable set search_path = public as $$
  select dataset, key from enterprise_correction where freezes and id = p_correction
$$;
revoke all on function enterprise_disputes(text, text[]) from public;
revoke all on function enterprise_dispute(uuid) from public;
