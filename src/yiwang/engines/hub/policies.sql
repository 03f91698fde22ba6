-- Deliveries: seen by the source office and by data stewards. Records: no right at all for the application
-- role; it reads through the two functions, which leave entries in the ledger (kernel/ledger) in the same transaction.
create schema if not exists hub;
revoke all on schema hub from public;

create or replace function hub_steward() returns boolean
language sql stable security definer set search_path = public as $$
  select exists (
    select 1 from orgs_post
    where person_id = nullif(current_setting('app.person', true), '')::uuid
      and 'steward' = any (roles) and since <= (now() at time zone 'Asia/Shanghai')::date and (until is null or until >= (now() at time zone 'Asia/Shanghai')::date)
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
