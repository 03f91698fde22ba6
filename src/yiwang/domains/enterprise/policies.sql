-- Classes and names of enterprises: no right for the application role but through these functions, which leave
-- entries in the ledger (kernel/ledger) in the same transaction. The run and the worker write as the owner.
revoke all on enterprise_grade, enterprise_gradechange, enterprise_name from {app};
revoke insert, update, delete, truncate on enterprise_run from {app};
revoke delete, truncate on enterprise_correction from {app};

alter table enterprise_correction enable row level security;
drop policy if exists concerned on enterprise_correction;
create policy concerned on enterprise_correction to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);

create or replace function enterprise_credit_staff() returns boolean
language sql stable security definer set search_path = public as $$
  select exists (
    select 1 from orgs_post
    where person_id = nullif(current_setting('app.person', true), '')::uuid
      and 'credit' = any (roles) and since <= current_date and (until is null or until >= current_date)
      and org_id = any (coalesce(nullif(current_setting('app.orgs', true), ''), '{}')::uuid[])
  )
$$;
revoke all on function enterprise_credit_staff() from public;
grant execute on function enterprise_credit_staff() to {app};
revoke insert, delete, truncate on enterprise_link from {app};
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
