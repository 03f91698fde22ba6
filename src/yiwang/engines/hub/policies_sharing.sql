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

-- What a contract gives out at all, by the release in force. The collector and the worker write it as the owner when
-- packs are loaded; a read that comes in between waits for them, and is refused (YG004) rather than go by old limits.
revoke insert, update, delete, truncate on hub_sharinglimits from {app};
create or replace function hub_limits(p_dataset text) returns jsonb
language plpgsql security definer set search_path = public as $$
declare
  v_rows jsonb;
begin
  for i in 1 .. 20 loop
    select rows into v_rows from hub_sharinglimits
      where dataset = p_dataset and release = (select sha256 from packs_release order by loaded desc limit 1);
    if found then
      return v_rows;
    end if;
    perform pg_sleep(0.2);
  end loop;
  raise exception 'hub_limits: the limits of the release in force are not written yet' using errcode = 'YG004';
end $$;
revoke all on function hub_limits(text) from public;

-- Conditions on rows as SQL over a table's alias: of a contract, or of a grant. or_missing: a record without a value
-- passes. p_day: SQL of the day that `today` means in a contract; null for a grant, which has no such word.
drop function if exists hub_where(jsonb);
create or replace function hub_where(p_rows jsonb, p_alias text, p_day text) returns text language sql immutable as $$
  select coalesce(string_agg(
    case when (r ->> 'or_missing')::boolean then format(' and (%s is null or ', f) else ' and (' end
    || case r ->> 'test'
      when 'is' then format('%s = %s', f, v)
      when 'from' then format('%s >= %s', f, v)
      when 'to' then format('%s <= %s', f, v)
      when 'starts' then format('starts_with(%s, %s)', f, v)
      else 'false' end || ')', ''), '')
  from jsonb_array_elements(coalesce(p_rows, '[]')) r,
    lateral (select format('%s.%I', p_alias, r ->> 'field') as f,
                    case when r ->> 'value' = 'today' and p_day is not null then p_day else quote_nullable(r ->> 'value') end as v) x
$$;
revoke all on function hub_where(jsonb, text, text) from public;

-- Up to where things stand now, for whoever asks later what has changed since: the number of the last delivery, those
-- up to it that are not published yet, the moment, and the release whose limits held. A number that is nowhere was
-- given to a delivery that is being written just now, or to none; older ones have had their time.
create or replace function hub_state() returns jsonb
language sql stable set search_path = public as $$
  select jsonb_build_object(
    'seq', coalesce(upto, 0), 'at', now(),
    'release', (select sha256 from packs_release order by loaded desc limit 1),
    'pending', (select coalesce(jsonb_agg(n), '[]') from (
      select n from generate_series(greatest(upto - 20, 1), upto) n
        where not exists (select 1 from hub_delivery d where d.seq = n)
      union select seq from hub_delivery where state in ('receiving', 'received', 'loading', 'validated')) p))
  from (select max(seq) as upto from hub_delivery) m
$$;
revoke all on function hub_state() from public;

-- The values of a record's key as one text, as SQL over its alias: what a domain knows the record by.
create or replace function hub_key(p_alias text, p_key jsonb) returns text language sql immutable as $$
  select format('array_to_string(array[%s], e''\x1f'', '''')',
                string_agg(format('%s.%I::text', p_alias, k), ', ' order by n))
  from jsonb_array_elements_text(p_key) with ordinality as x(k, n)
$$;
revoke all on function hub_key(text, jsonb) from public;

-- Whether a number of a delivery is later than a state, as SQL.
create or replace function hub_later(p_number text, p_state jsonb) returns text language sql immutable as $$
  select format('(%1$s > %2$s or %1$s = any (%3$L::integer[]))', p_number, (p_state ->> 'seq')::integer,
                coalesce(array(select jsonb_array_elements_text(p_state -> 'pending')), '{}'))
$$;
revoke all on function hub_later(text, jsonb) from public;

-- A few current records with every field masked that is not public, for the catalogue. fields: [{"id", "level"}].
drop function if exists hub_preview(uuid, text, text, jsonb, integer, text, text, jsonb);
create or replace function hub_preview(
  p_use uuid, p_dataset text, p_kind text, p_fields jsonb, p_most integer, p_purpose text, p_basis text
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
    v_columns, coalesce(format('v.%I::text', v_subject), 'null::text'), p_dataset,
    hub_where(hub_limits(p_dataset), 'v', quote_literal((now() at time zone 'Asia/Shanghai')::date) || '::date'),
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
-- entry a subject, and counted. p_after: the key after which to go on. p_since: a state that hub_state gave, or
-- {"seq": number of a delivery}; only what is different since: records that came or changed as they are now, and of
-- those that were given out since and are no longer, whatever the reason, the key alone. A domain may say of records
-- that they are in dispute or repaired, and which it says something else of since a state: hub_marks, hub_marked_since.
-- Gives {"records", "more", "state"}; state: to ask with later, of the moment before it looked.
-- SQLSTATE YG001 no such grant, YG002 it is over, YG003 the day's quota is used up, YG004 see hub_limits.
drop function if exists hub_granted(uuid, uuid, text, text, jsonb, integer, integer, jsonb);
create or replace function hub_granted(
  p_use uuid, p_grant uuid, p_kind text, p_subject text, p_after jsonb, p_since jsonb, p_most integer
) returns jsonb language plpgsql security definer set search_path = public as $$
declare
  v_actor text := coalesce(current_setting('app.actor', true), '');
  v_posts uuid[] := coalesce(nullif(current_setting('app.posts', true), ''), '{}')::uuid[];
  v_today date := (now() at time zone 'Asia/Shanghai')::date;
  v_grant hub_sharinggrant;
  v_key jsonb;
  v_subject text;
  v_state jsonb;
  v_columns text;
  v_keys text;
  v_order text;
  v_now text;
  v_where text;
  v_whose text;
  v_limit integer;
  v_rows jsonb[];
  v_subjects text[];
  v_more boolean;
begin
  if v_actor in ('', 'visitor') then
    raise exception 'hub_granted: nobody is acting' using errcode = 'insufficient_privilege';
  end if;
  select * into v_grant from hub_sharinggrant where id = p_grant and org_id = any (v_posts) for update;
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
  v_state := hub_state();
  select key, nullif(subject_field, '') into v_key, v_subject from hub_holding where dataset = v_grant.dataset;
  if v_key is null or to_regclass(format('hub.%I', v_grant.dataset)) is null
     or (p_subject is not null and v_subject is null) then
    return jsonb_build_object('records', '[]'::jsonb, 'more', false, 'state', v_state);
  end if;
  select string_agg(said, ', '), string_agg(said, ', ') filter (where v_key ? id) into v_columns, v_keys
    from (select f ->> 'id' as id, case when (f ->> 'mask')::boolean
      then format('%L, hub_masked(%L, v.%I::text)', f ->> 'id', f ->> 'level', f ->> 'id')
      else format('%L, v.%I', f ->> 'id', f ->> 'id') end as said
    from jsonb_array_elements(v_grant.fields) f) f;
  select string_agg(format('v.%I', k), ', ' order by n) into v_order
    from jsonb_array_elements_text(v_key) with ordinality as x(k, n);
  v_now := hub_given(v_grant, hub_limits(v_grant.dataset), 'v', format('%L::date', v_today), v_subject, p_subject);
  v_whose := case when v_subject is null then 'null::text' else format('v.%I::text', v_subject) end;
  if p_since is null then
    v_where := v_now;
  else
    select w.told, w.whose into v_where, v_whose
      from hub_since(v_grant, v_key, v_subject, p_subject, p_since, v_now) w;
  end if;
  if p_after is not null then
    v_where := format('(%s) > (%s) and (%s)', v_order,
      (select string_agg(format('%L', p_after ->> k), ', ' order by n)
         from jsonb_array_elements_text(v_key) with ordinality as x(k, n)), v_where);
  end if;
  execute format(
    'select array_agg(r order by place), array_agg(distinct s) filter (where s is not null and place <= %1$s) from ('
    '  select jsonb_build_object(''delivery'', v._delivery, ''key'', jsonb_build_array(%2$s), ''gone'', not %3$s,'
    '           ''mark'', %4$s,'
    '           ''record'', case when %3$s then jsonb_build_object(%5$s) else jsonb_build_object(%6$s) end) as r,'
    '         %7$s as s, row_number() over (order by %2$s) as place'
    '  from hub.%8$I v where %9$s order by %2$s limit %10$s) v',
    v_limit, v_order, v_now, hub_key('v', v_key), v_columns, v_keys, v_whose, v_grant.dataset, v_where, v_limit + 1)
    into v_rows, v_subjects;
  v_more := coalesce(cardinality(v_rows) > v_limit, false);  -- one more was looked for, to know whether this is the end
  v_rows := coalesce(v_rows[1:v_limit], '{}');
  if to_regprocedure('hub_marks(text,text[])') is not null then
    select coalesce(array_agg(x.r || jsonb_build_object('disputed', coalesce(m.disputed, false), 'repaired', m.repaired)
                              order by x.place), '{}') into v_rows
      from unnest(v_rows) with ordinality as x(r, place)
      left join hub_marks(v_grant.dataset, array(select r ->> 'mark' from unnest(v_rows) r where not (r ->> 'gone')::boolean)) m
        on m.key = x.r ->> 'mark';
  end if;
  -- Whoever asks about one subject has used his data even when there was nothing.
  if p_subject is not null then
    v_subjects := array[p_subject];
  end if;
  insert into hub_sharinguse (grant_id, at, day, actor, records, gone, use_id)
  values (p_grant, clock_timestamp(), v_today, v_actor, cardinality(v_rows),
          (select count(*) from unnest(v_rows) r where (r ->> 'gone')::boolean), p_use);
  if cardinality(v_subjects) > 0 then
    perform ledger_note(
      p_use, 'hub.' || v_grant.dataset,
      (select string_agg(f ->> 'id', ',') from jsonb_array_elements(v_grant.fields) f),
      v_grant.purpose, v_grant.basis, null, null, p_kind, v_subjects,
      array_fill(cardinality(v_rows) > 0, array[cardinality(v_subjects)]), v_grant.org_id);
  end if;
  return jsonb_build_object('records', to_jsonb(v_rows), 'more', v_more, 'state', v_state);
end $$;
revoke all on function hub_masked(text, text) from public;
revoke all on function hub_preview(uuid, text, text, jsonb, integer, text, text) from public;
revoke all on function hub_granted(uuid, uuid, text, text, jsonb, jsonb, integer) from public;
grant execute on function hub_masked(text, text) to {app};
grant execute on function hub_preview(uuid, text, text, jsonb, integer, text, text) to {app};
grant execute on function hub_granted(uuid, uuid, text, text, jsonb, jsonb, integer) to {app};

-- Whether a version of a record is one that a grant gives out on a day, as SQL over its alias.
create or replace function hub_given(
  p_grant hub_sharinggrant, p_limits jsonb, p_alias text, p_day text, p_subject_field text, p_subject text
) returns text language sql immutable set search_path = public as $$
  select format('(not %s._withdrawn%s%s%s) is true', p_alias, hub_where(p_grant.rows, p_alias, null),
    hub_where(p_limits, p_alias, p_day),
    case when p_subject is null then '' else format(' and %s.%I = %L', p_alias, p_subject_field, p_subject) end)
$$;
revoke all on function hub_given(hub_sharinggrant, jsonb, text, text, text, text) from public;

-- For hub_granted, as SQL over v: which records are different since a state, and whose each is. What was given out
-- since is known from the versions: those in force then or later, under the grant's rows and the limits of that time,
-- while the grant was. Nothing else is told to be gone, so no key that the grant never covered is.
create or replace function hub_since(
  p_grant hub_sharinggrant, p_key jsonb, p_subject_field text, p_subject text, p_since jsonb, p_now text,
  out told text, out whose text
) language plpgsql set search_path = public as $$
declare
  v_since jsonb := p_since;
  v_day text;
  v_later text;
  v_limits jsonb;
  v_past text;
  v_old text;
  v_marked text[];
  v_mark text := '';
begin
  if not p_since ? 'at' then  -- the number of a delivery: as things stood when it had been published
    select p_since || jsonb_build_object('at', coalesce((array_agg(loaded_at order by seq desc))[1], '-infinity'),
                                         'release', (array_agg(release order by seq desc))[1]) into v_since
      from hub_delivery where dataset = p_grant.dataset and state = 'loaded' and seq <= (p_since ->> 'seq')::integer;
  end if;
  v_limits := coalesce(
    (select rows from hub_sharinglimits where dataset = p_grant.dataset and release = v_since ->> 'release'),
    hub_limits(p_grant.dataset));
  v_day := format('%L::date', greatest(((v_since ->> 'at')::timestamptz at time zone 'Asia/Shanghai')::date, p_grant.since));
  -- A version that came later was given out from the day on which it was published.
  v_later := 'greatest(' || v_day || ', (select (d.loaded_at at time zone ''Asia/Shanghai'')::date '
             'from public.hub_delivery d where d.seq = ';
  v_past := hub_given(p_grant, v_limits, 'v', v_later || 'v._delivery))', p_subject_field, p_subject);
  -- A version that ended before the grant began was never given out under it; a late one (_until its own) never at all.
  v_old := format('from hub.%I h join public.hub_delivery e on e.seq = h._until and e.loaded_at >= %L '
                  'where %s and %s and h._delivery <> h._until and %s',
    p_grant.dataset || '_hist', p_grant.since::timestamp at time zone 'Asia/Shanghai',
    (select string_agg(format('h.%1$I = v.%1$I', k), ' and ') from jsonb_array_elements_text(p_key) k),
    hub_later('h._until', v_since),
    hub_given(p_grant, v_limits, 'h', v_later || 'h._delivery))', p_subject_field, p_subject));
  if to_regprocedure('hub_marked_since(text,integer,integer[],timestamptz)') is not null then
    v_marked := array(select hub_marked_since(
      p_grant.dataset, (v_since ->> 'seq')::integer,
      array(select jsonb_array_elements_text(v_since -> 'pending'))::integer[], (v_since ->> 'at')::timestamptz));
    if cardinality(v_marked) > 0 then
      v_mark := format(' or %s = any (%L::text[])', hub_key('v', p_key), v_marked);
    end if;
  end if;
  told := format('case when %s then %s%s when %s then %s or exists (select 1 %s) else %s end',
    p_now, hub_later('v._delivery', v_since), v_mark, hub_later('v._delivery', v_since), v_past, v_old,
    hub_given(p_grant, v_limits, 'v', v_day, p_subject_field, p_subject));
  whose := case when p_subject_field is null then 'null::text' else format(
    'case when %s or %s then v.%I::text else (select h.%I::text %s order by h._until desc limit 1) end',
    p_now, v_past, p_subject_field, p_subject_field, v_old) end;
end $$;
revoke all on function hub_since(hub_sharinggrant, jsonb, text, text, jsonb, text) from public;
