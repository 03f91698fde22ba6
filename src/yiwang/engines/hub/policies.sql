-- Deliveries: seen by the source office and by data stewards. Records: no right at all for the application
-- role; it reads through the two functions, which leave entries in the ledger (kernel/ledger) in the same transaction.
create schema if not exists hub;
revoke all on schema hub from public;

create or replace function hub_steward() returns boolean
language sql stable security definer set search_path = public as $$
  select exists (
    select 1 from orgs_post
    where person_id = nullif(current_setting('app.person', true), '')::uuid
      and 'steward' = any (roles) and since <= current_date and (until is null or until >= current_date)
      and org_id = any (coalesce(nullif(current_setting('app.orgs', true), ''), '{}')::uuid[])
  )
$$;
revoke all on function hub_steward() from public;
grant execute on function hub_steward() to {app};

alter table hub_delivery enable row level security;
drop policy if exists seen on hub_delivery;
create policy seen on hub_delivery to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
  or (select hub_steward())
);
revoke delete, truncate on hub_delivery from {app};
revoke insert, update, delete, truncate on hub_quality from {app};
revoke insert, update, delete, truncate on hub_holding from {app};
revoke insert, update, delete, truncate on hub_reported from {app};

-- Every version of one record, with its moments. Nobody reads without a purpose and a trace.
create or replace function hub_versions(
  p_use uuid, p_dataset text, p_kind text, p_key jsonb, p_purpose text, p_basis text, p_case uuid, p_visible_from date
) returns setof jsonb language plpgsql security definer set search_path = public as $$
declare
  v_actor text := coalesce(current_setting('app.actor', true), '');
  v_key jsonb;
  v_where text;
  v_subject text;
  v_subjects text[];
begin
  if v_actor in ('', 'visitor') then
    raise exception 'hub_versions: nobody is acting' using errcode = 'insufficient_privilege';
  end if;
  if coalesce(p_purpose, '') = '' then
    raise exception 'hub_versions: no purpose' using errcode = 'insufficient_privilege';
  end if;
  select key, subject_field into v_key, v_subject from hub_holding where dataset = p_dataset;
  if v_key is null or to_regclass(format('hub.%I', p_dataset || '_versions')) is null then
    return;
  end if;
  select string_agg(format('%I = %L', k, p_key ->> k), ' and ') into v_where
    from jsonb_array_elements_text(v_key) as k where p_key ? k;
  if v_where is null or (select count(*) from jsonb_array_elements_text(v_key) k where not p_key ? k) > 0 then
    raise exception 'hub_versions: the key is not whole' using errcode = 'invalid_parameter_value';
  end if;
  return query execute format('select to_jsonb(v) from hub.%I v where %s limit 1000', p_dataset || '_versions', v_where);
  -- Whose record it is stands in it; of one that is not there, the key asked for is all there is.
  if v_subject is not null then
    execute format('select array_agg(distinct %I::text) from hub.%I where %s and %I is not null',
                   v_subject, p_dataset || '_versions', v_where, v_subject) into v_subjects;
  end if;
  perform ledger_note(
    p_use, 'hub.' || p_dataset, '*', p_purpose, p_basis, p_case, p_visible_from, p_kind,
    coalesce(v_subjects, array[(select string_agg(p_key ->> k, ' ') from jsonb_array_elements_text(v_key) k)]),
    array_fill(v_subjects is not null, array[coalesce(cardinality(v_subjects), 1)]));
end $$;

-- The current records about one subject, by its code.
create or replace function hub_of_subject(
  p_use uuid, p_dataset text, p_kind text, p_code text, p_purpose text, p_basis text, p_case uuid, p_visible_from date
) returns setof jsonb language plpgsql security definer set search_path = public as $$
declare
  v_actor text := coalesce(current_setting('app.actor', true), '');
  v_field text;
  v_found boolean;
begin
  if v_actor in ('', 'visitor') or coalesce(p_purpose, '') = '' then
    raise exception 'hub_of_subject: nobody is acting, or for no purpose' using errcode = 'insufficient_privilege';
  end if;
  select subject_field into v_field from hub_holding where dataset = p_dataset;
  if v_field is null or to_regclass(format('hub.%I', p_dataset)) is null then
    return;
  end if;
  return query execute format(
    'select to_jsonb(v) from hub.%I v where %I = %L and not _withdrawn order by _valid_from desc limit 1000',
    p_dataset, v_field, p_code);
  v_found := found;
  perform ledger_note(p_use, 'hub.' || p_dataset, '*', p_purpose, p_basis, p_case, p_visible_from, p_kind,
                      array[p_code], array[v_found]);
end $$;

revoke all on function hub_versions(uuid, text, text, jsonb, text, text, uuid, date) from public;
revoke all on function hub_of_subject(uuid, text, text, text, text, text, uuid, date) from public;
grant execute on function hub_versions(uuid, text, text, jsonb, text, text, uuid, date) to {app};
grant execute on function hub_of_subject(uuid, text, text, text, text, text, uuid, date) to {app};

-- Sharing: requests and grants are seen by the office that asks, the source, and stewards. A grant is given by
-- the source or the system alone, and its scope never changes afterwards.
alter table hub_sharingrequest enable row level security;
drop policy if exists concerned on hub_sharingrequest;
create policy concerned on hub_sharingrequest to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or array[org_id, source_id] && (select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[]
  or (select hub_steward())
);
alter table hub_sharinggrant enable row level security;
drop policy if exists concerned on hub_sharinggrant;
create policy concerned on hub_sharinggrant to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or array[org_id, source_id] && (select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[]
  or (select hub_steward())
) with check (
  (select current_setting('app.system', true)) = 'on'
  or array[org_id, source_id] && (select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[]
  or (select hub_steward())
);
drop policy if exists given on hub_sharinggrant;
create policy given on hub_sharinggrant as restrictive for insert to {app} with check (
  (select current_setting('app.system', true)) = 'on'
  or source_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);
drop policy if exists ended on hub_sharinggrant;
create policy ended on hub_sharinggrant as restrictive for update to {app}
  using (revoked_at is null) with check (true);  -- revoked is revoked
revoke delete, truncate on hub_sharingrequest, hub_sharinggrant from {app};
revoke update on hub_sharinggrant from {app};
grant update (reminded, revoked_at, revoked_by, revoked_why) on hub_sharinggrant to {app};
revoke insert, update, delete, truncate on hub_sharinguse from {app};
alter table hub_sharinguse enable row level security;
drop policy if exists concerned on hub_sharinguse;
create policy concerned on hub_sharinguse for select to {app} using (
  exists (select 1 from hub_sharinggrant g where g.id = grant_id)
);

-- As masks.shown: only the ends of personal information.
create or replace function hub_masked(p_level text, p_value text) returns text language sql immutable as $$
  select case
    when p_value is null or p_value = '' then p_value
    when p_level = '一般个人信息' and length(p_value) < 7
      then left(p_value, 1) || repeat('*', least(length(p_value) - 1, 6))
    when p_level = '一般个人信息' then left(p_value, 3) || '****' || right(p_value, 2)
    when p_level = '敏感个人信息'
      then left(p_value, 3) || '********' || case when length(p_value) > 8 then right(p_value, 2) else '' end
    else p_value
  end
$$;

-- Conditions on rows as SQL over v: of a grant, or of a contract. or_missing: a record without a value passes.
create or replace function hub_where(p_rows jsonb) returns text language sql immutable as $$
  select coalesce(string_agg(
    case when (r ->> 'or_missing')::boolean then format(' and (v.%I is null or ', r ->> 'field') else ' and (' end
    || case r ->> 'test'
      when 'is' then format('v.%I = %L', r ->> 'field', r ->> 'value')
      when 'from' then format('v.%I >= %L', r ->> 'field', r ->> 'value')
      when 'to' then format('v.%I <= %L', r ->> 'field', r ->> 'value')
      when 'starts' then format('starts_with(v.%I, %L)', r ->> 'field', r ->> 'value')
      else 'false' end || ')', ''), '')
  from jsonb_array_elements(coalesce(p_rows, '[]')) r
$$;
revoke all on function hub_where(jsonb) from public;

-- A few current records with every field masked that is not public, for the catalogue. fields: [{"id", "level"}].
-- p_limits: what the contract gives out at all.
drop function if exists hub_preview(uuid, text, text, jsonb, integer, text, text);
create or replace function hub_preview(
  p_use uuid, p_dataset text, p_kind text, p_fields jsonb, p_most integer, p_purpose text, p_basis text, p_limits jsonb
) returns setof jsonb language plpgsql security definer set search_path = public as $$
declare
  v_actor text := coalesce(current_setting('app.actor', true), '');
  v_subject text;
  v_columns text;
  v_rows jsonb[];
  v_subjects text[];
begin
  if v_actor in ('', 'visitor') or coalesce(p_purpose, '') = '' then
    raise exception 'hub_preview: nobody is acting, or for no purpose' using errcode = 'insufficient_privilege';
  end if;
  select nullif(subject_field, '') into v_subject from hub_holding where dataset = p_dataset;
  if not found or to_regclass(format('hub.%I', p_dataset)) is null then
    return;
  end if;
  select string_agg(case
      when f ->> 'level' = '公开' then format('%L, v.%I', f ->> 'id', f ->> 'id')
      when f ->> 'level' in ('一般个人信息', '敏感个人信息')
        then format('%L, hub_masked(%L, v.%I::text)', f ->> 'id', f ->> 'level', f ->> 'id')
      else format('%L, case when v.%I is not null then ''***'' end', f ->> 'id', f ->> 'id') end, ', ')
    into v_columns from jsonb_array_elements(p_fields) f;
  execute format(
    'select array_agg(r), array_agg(distinct s) from (select jsonb_build_object(%s) as r, %s as s from hub.%I v '
    'where not _withdrawn%s order by _delivery desc limit %s) v',
    v_columns, coalesce(format('v.%I::text', v_subject), 'null::text'), p_dataset, hub_where(p_limits),
    least(p_most, 20))
    into v_rows, v_subjects;
  if v_rows is null then
    return;
  end if;
  v_subjects := array_remove(v_subjects, null);
  if cardinality(v_subjects) > 0 then
    perform ledger_note(p_use, 'hub.' || p_dataset, '脱敏预览', p_purpose, p_basis, null, null, p_kind,
                        v_subjects, array_fill(true, array[cardinality(v_subjects)]));
  end if;
  return query select unnest(v_rows);
end $$;

-- Records under a grant: its fields, its rows, its masks, within its days and its quota; noted in the ledger, one
-- entry a subject, and counted. p_after: the key after which to go on; p_since: only what deliveries after this
-- one brought, withdrawals included. p_limits: what the contract gives out at all, whatever the grant. A domain may
-- say which records are in dispute: hub_disputed(dataset, the key's values). SQLSTATE YG001 no such grant, YG002 it is over, YG003 the day's quota is used up.
drop function if exists hub_granted(uuid, uuid, text, text, jsonb, integer, integer);
create or replace function hub_granted(
  p_use uuid, p_grant uuid, p_kind text, p_subject text, p_after jsonb, p_since integer, p_most integer, p_limits jsonb
) returns setof jsonb language plpgsql security definer set search_path = public as $$
declare
  v_actor text := coalesce(current_setting('app.actor', true), '');
  v_orgs uuid[] := coalesce(nullif(current_setting('app.orgs', true), ''), '{}')::uuid[];
  v_today date := (now() at time zone 'Asia/Shanghai')::date;
  v_grant hub_sharinggrant;
  v_key jsonb;
  v_subject text;
  v_columns text;
  v_where text := 'true';
  v_order text;
  v_limit integer;
  v_rows jsonb[];
  v_subjects text[];
begin
  if v_actor in ('', 'visitor') then
    raise exception 'hub_granted: nobody is acting' using errcode = 'insufficient_privilege';
  end if;
  select * into v_grant from hub_sharinggrant where id = p_grant and org_id = any (v_orgs) for update;
  if not found then
    raise exception 'hub_granted: no such grant' using errcode = 'YG001';
  end if;
  if v_grant.revoked_at is not null or v_today < v_grant.since or v_today > v_grant.until then
    raise exception 'hub_granted: the grant is over' using errcode = 'YG002';
  end if;
  select v_grant.daily - coalesce(sum(records), 0) into v_limit
    from hub_sharinguse where grant_id = p_grant and day = v_today;
  if v_limit <= 0 then
    raise exception 'hub_granted: the quota of today is used up' using errcode = 'YG003';
  end if;
  v_limit := least(v_limit, p_most);
  select key, nullif(subject_field, '') into v_key, v_subject from hub_holding where dataset = v_grant.dataset;
  if v_key is null or to_regclass(format('hub.%I', v_grant.dataset)) is null then
    return;
  end if;
  select string_agg(case when (f ->> 'mask')::boolean
      then format('%L, hub_masked(%L, v.%I::text)', f ->> 'id', f ->> 'level', f ->> 'id')
      else format('%L, v.%I', f ->> 'id', f ->> 'id') end, ', ')
    into v_columns from jsonb_array_elements(v_grant.fields) f;
  v_where := v_where || hub_where(v_grant.rows) || hub_where(p_limits);
  if p_subject is not null then
    if v_subject is null then
      return;
    end if;
    v_where := v_where || format(' and v.%I = %L', v_subject, p_subject);
  end if;
  v_where := v_where || case when p_since is null then ' and not v._withdrawn'
                             else format(' and v._delivery > %s', p_since) end;
  select string_agg(format('v.%I', k), ', ' order by n) into v_order
    from jsonb_array_elements_text(v_key) with ordinality as x(k, n);
  if p_after is not null then
    v_where := v_where || format(' and (%s) > (%s)', v_order,
      (select string_agg(format('%L', p_after ->> k), ', ' order by n)
         from jsonb_array_elements_text(v_key) with ordinality as x(k, n)));
  end if;
  execute format(
    'select array_agg(r order by place), array_agg(distinct s) filter (where s is not null and place <= %s) from ('
    '  select jsonb_build_object(''record'', jsonb_build_object(%s), ''withdrawn'', v._withdrawn,'
    '           ''delivery'', v._delivery, ''key'', jsonb_build_array(%s)) as r,'
    '         %s as s, row_number() over (order by %s) as place'
    '  from hub.%I v where %s order by %s limit %s) v',
    v_limit, v_columns, v_order, coalesce(format('v.%I::text', v_subject), 'null::text'), v_order, v_grant.dataset,
    v_where, v_order, v_limit + 1) into v_rows, v_subjects;
  if cardinality(v_rows) > v_limit then  -- one more was looked for, to know whether this is the end
    v_rows := v_rows[1:v_limit];
    v_rows[v_limit] := v_rows[v_limit] || '{"more": true}';
  end if;
  if to_regprocedure('hub_disputed(text,text[])') is not null then
    select array_agg(r || jsonb_build_object('disputed',
             hub_disputed(v_grant.dataset, array(select jsonb_array_elements_text(r -> 'key')))) order by place)
      into v_rows from unnest(v_rows) with ordinality as x(r, place);
  end if;
  -- Whoever asks about one subject has used his data even when there was nothing.
  if p_subject is not null then
    v_subjects := array[p_subject];
  end if;
  insert into hub_sharinguse (grant_id, at, day, actor, records, use_id)
  values (p_grant, clock_timestamp(), v_today, v_actor, coalesce(cardinality(v_rows), 0), p_use);
  if cardinality(v_subjects) > 0 then
    perform ledger_note(
      p_use, 'hub.' || v_grant.dataset,
      (select string_agg(f ->> 'id', ',') from jsonb_array_elements(v_grant.fields) f),
      v_grant.purpose, v_grant.basis, null, null, p_kind, v_subjects,
      array_fill(v_rows is not null, array[cardinality(v_subjects)]));
  end if;
  return query select '{"disputed": false}' || r from unnest(v_rows) r;
end $$;
revoke all on function hub_masked(text, text) from public;
revoke all on function hub_preview(uuid, text, text, jsonb, integer, text, text, jsonb) from public;
revoke all on function hub_granted(uuid, uuid, text, text, jsonb, integer, integer, jsonb) from public;
grant execute on function hub_masked(text, text) to {app};
grant execute on function hub_preview(uuid, text, text, jsonb, integer, text, text, jsonb) to {app};
grant execute on function hub_granted(uuid, uuid, text, text, jsonb, integer, integer, jsonb) to {app};
