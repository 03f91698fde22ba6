-- Sampling plans: made, frozen and drawn by officials with the post; what was frozen or drawn never changes. Scope and
-- lot: no right for the application role but through these functions, which write the ledger.
revoke delete, truncate, update on enterprise_samplingplan, enterprise_samplingstratum from {app};
grant update (state, ended_at, ended_by_name, why_dropped) on enterprise_samplingplan to {app};
revoke all on enterprise_samplingframe, enterprise_sampled from {app};
drop policy if exists staff on enterprise_sampled;
alter table enterprise_samplingplan enable row level security;
drop policy if exists staff on enterprise_samplingplan;
create policy staff on enterprise_samplingplan to {app} using (
  (select current_setting('app.system', true)) = 'on' or (select enterprise_credit_staff())
);
drop policy if exists once on enterprise_samplingplan;
create policy once on enterprise_samplingplan as restrictive for update to {app}
  using (state = 'ready') with check (true);  -- drawn is drawn
alter table enterprise_samplingstratum enable row level security;
drop policy if exists staff on enterprise_samplingstratum;
create policy staff on enterprise_samplingstratum to {app} using (
  (select current_setting('app.system', true)) = 'on' or (select enterprise_credit_staff())
);
-- Whose lot it is: credit officials of the plan's office, and of those above it that do the same work.
create or replace function enterprise_sampling_reader(p_plan uuid) returns boolean
language sql stable security definer set search_path = public as $$
  with recursive around as (
    select o.functions, r.code, r.parent_id from enterprise_samplingplan p
      join orgs_organisation o on o.id = p.org_id join orgs_region r on r.code = o.region_id where p.id = p_plan
    union select a.functions, r.code, r.parent_id from around a join orgs_region r on r.code = a.parent_id
  )
  select exists (
    select 1 from orgs_post t join orgs_organisation o on o.id = t.org_id
      join around a on a.code = o.region_id and a.functions && o.functions
    where t.person_id = nullif(current_setting('app.person', true), '')::uuid and 'credit' = any (t.roles)
      and t.org_id = any (coalesce(nullif(current_setting('app.posts', true), ''), '{}')::uuid[])
      and (now() at time zone 'Asia/Shanghai')::date between t.since and coalesce(t.until, 'infinity')
  )
$$;
revoke all on function enterprise_sampling_reader(uuid) from public;
grant execute on function enterprise_sampling_reader(uuid) to {app};

-- Who is in scope, by the class in force, once for a plan: (class, how many, SHA-256 of the codes). By one published
-- rule over everybody, so the ledger has one use of the whole, and an entry each of those drawn.
create or replace function enterprise_sampling_freeze(
  p_use uuid, p_plan uuid, p_dataset text, p_subject text, p_region text, p_industry text, p_purpose text, p_basis text
) returns table (grade varchar, subjects integer, digest text)
language plpgsql security definer set search_path = public set work_mem = '256MB' as $$
declare
  v_plan enterprise_samplingplan;
begin
  if coalesce(p_purpose, '') = '' or not enterprise_credit_staff() then
    raise exception 'enterprise_sampling_freeze: not for you, or no purpose' using errcode = 'insufficient_privilege';
  end if;
  select * into strict v_plan from enterprise_samplingplan where id = p_plan and state = 'ready';
  execute format(
    'insert into enterprise_samplingframe (plan_id, grade, codes) '
    'select $1, g.in_force, string_agg(g.uscc, e''\n'' order by g.uscc collate "C") '
    'from enterprise_grade g join hub.%I r on r.%I = g.uscc and not r._withdrawn '
    'where (cardinality($2) = 0 or r.%I = any ($2)) '
    'and (cardinality($3) = 0 or exists (select 1 from unnest($3) i where starts_with(r.%I, i))) group by g.in_force',
    p_dataset, p_subject, p_region, p_industry) using p_plan, v_plan.regions, v_plan.industries;
  perform ledger_note(p_use, 'enterprise.sampling', 'in scope', p_purpose, p_basis, null, v_plan.last + 1, 'run',
                      array[p_plan::text], array[true]);
  return query select f.grade, (length(f.codes) - length(replace(f.codes, e'\n', '')) + 1)::integer,
                      encode(sha256(convert_to(f.codes, 'UTF8')), 'hex')
               from enterprise_samplingframe f where f.plan_id = p_plan;
end $$;

-- The lot of a plan, as sampling/rules.py says it. p_days: for each day of the period, the working day to take.
create or replace function enterprise_sampling_draw(
  p_use uuid, p_plan uuid, p_days date[], p_purpose text, p_basis text
) returns integer language plpgsql security definer set search_path = public set work_mem = '256MB' as $$
declare
  v_plan enterprise_samplingplan;
  v_days integer := cardinality(p_days);
  v_keys text[];
begin
  if coalesce(p_purpose, '') = '' or not enterprise_credit_staff() then
    raise exception 'enterprise_sampling_draw: not for you, or no purpose' using errcode = 'insufficient_privilege';
  end if;
  select * into strict v_plan from enterprise_samplingplan where id = p_plan and state = 'ready' for update;
  with drawn as (
    select s.grade, s.visits, o.uscc, o.place
    from enterprise_samplingstratum s
    join enterprise_samplingframe f on f.plan_id = s.plan_id and f.grade = s.grade
    cross join lateral (
      select l.uscc, (row_number() over (order by l.lot, l.uscc collate "C"))::integer as place
      from (select c as uscc, sha256(convert_to(v_plan.seed || ':' || c, 'UTF8')) as lot
            from string_to_table(f.codes, e'\n') c order by 2, c collate "C" limit s.wanted) l
    ) o where s.plan_id = p_plan
  )
  insert into enterprise_sampled (plan_id, grade, place, uscc, name, region, days)
  select p_plan, d.grade, d.place, d.uscc, coalesce(n.name, d.uscc), coalesce(n.region, ''), array(
    select p_days[part.low + 1
                  + (('x' || left(encode(sha256(convert_to(v_plan.seed || ':' || d.uscc || ':' || part.k, 'UTF8')), 'hex'), 8))
                     ::bit(32)::bigint % (part.high - part.low))::integer]
    from (select k, (v_days * (k - 1)) / d.visits as low, (v_days * k) / d.visits as high
          from generate_series(1, d.visits) k) part order by part.k
  ) from drawn d left join enterprise_name n on n.uscc = d.uscc;
  select coalesce(array_agg(uscc::text), '{}') into v_keys from enterprise_sampled where plan_id = p_plan;
  if cardinality(v_keys) > 0 then  -- whoever is drawn sees it when the period is over: these visits are not announced
    perform ledger_note(p_use, 'enterprise.sampling', 'drawn', p_purpose, p_basis, null, v_plan.last + 1, 'enterprise',
                        v_keys, array_fill(true, array[cardinality(v_keys)]));
  end if;
  return cardinality(v_keys);
end $$;

-- The codes in scope of one class of a plan, for whoever recomputes its lot: an entry each in the ledger.
create or replace function enterprise_sampling_frame(
  p_use uuid, p_plan uuid, p_grade text, p_purpose text, p_basis text
) returns text language plpgsql security definer set search_path = public as $$
declare
  v_codes text;
  v_keys text[];
  v_last date;
begin
  if coalesce(p_purpose, '') = '' or not enterprise_sampling_reader(p_plan) then
    raise exception 'enterprise_sampling_frame: not for you, or no purpose' using errcode = 'insufficient_privilege';
  end if;
  select f.codes, p.last into v_codes, v_last from enterprise_samplingframe f
    join enterprise_samplingplan p on p.id = f.plan_id where f.plan_id = p_plan and f.grade = p_grade;
  if v_codes is null then
    return '';
  end if;
  v_keys := string_to_array(v_codes, e'\n');
  perform ledger_note(p_use, 'enterprise.sampling', 'in scope', p_purpose, p_basis, null, v_last + 1, 'enterprise',
                      v_keys, array_fill(true, array[cardinality(v_keys)]));
  return v_codes;
end $$;

-- Those drawn, the class that is inspected most first, then by lot: some of them from one on (p_most null: all), an
-- entry each in the ledger, which they see when the period is over, as that of the drawing.
create or replace function enterprise_sampling_drawn(
  p_use uuid, p_plan uuid, p_from integer, p_most integer, p_purpose text, p_basis text
) returns setof enterprise_sampled language plpgsql security definer set search_path = public as $$
declare
  v_last date;
  v_ids bigint[];
  v_keys text[];
begin
  if coalesce(p_purpose, '') = '' or not enterprise_sampling_reader(p_plan) then
    raise exception 'enterprise_sampling_drawn: not for you, or no purpose' using errcode = 'insufficient_privilege';
  end if;
  select last into strict v_last from enterprise_samplingplan where id = p_plan;
  select array_agg(s.id), array_agg(s.uscc::text) into v_ids, v_keys from (
    select id, uscc from enterprise_sampled where plan_id = p_plan order by grade desc, place offset p_from limit p_most) s;
  if v_keys is null then
    return;
  end if;
  perform ledger_note(p_use, 'enterprise.sampling', 'drawn', p_purpose, p_basis, null, v_last + 1, 'enterprise',
                      v_keys, array_fill(true, array[cardinality(v_keys)]));
  return query select * from enterprise_sampled where id = any (v_ids) order by grade desc, place;
end $$;

-- What everybody may know of a drawn lot, so without an entry: what binds the office to it, SHA-256 of the seed, a line
-- feed and the lot; the lot itself, a line "code,day day ..." each by code, when the period is over, null before.
create or replace function enterprise_sampling_lot(p_plan uuid, out digest text, out lot text)
language plpgsql stable security definer set search_path = public set datestyle = 'ISO' as $$
declare
  v_plan enterprise_samplingplan;
begin
  select * into v_plan from enterprise_samplingplan where id = p_plan and state = 'drawn';
  if not found then
    return;
  end if;
  select coalesce(string_agg(uscc || ',' || array_to_string(days, ' '), e'\n' order by uscc collate "C"), '') into lot
    from enterprise_sampled where plan_id = p_plan;
  digest := encode(sha256(convert_to(v_plan.seed || e'\n' || lot, 'UTF8')), 'hex');
  if (now() at time zone 'Asia/Shanghai')::date <= v_plan.last then
    lot := null;
  end if;
end $$;

revoke all on function enterprise_sampling_freeze(uuid, uuid, text, text, text, text, text, text) from public;
revoke all on function enterprise_sampling_draw(uuid, uuid, date[], text, text) from public;
revoke all on function enterprise_sampling_frame(uuid, uuid, text, text, text) from public;
grant execute on function enterprise_sampling_freeze(uuid, uuid, text, text, text, text, text, text) to {app};
grant execute on function enterprise_sampling_draw(uuid, uuid, date[], text, text) to {app};
grant execute on function enterprise_sampling_frame(uuid, uuid, text, text, text) to {app};
revoke all on function enterprise_sampling_drawn(uuid, uuid, integer, integer, text, text) from public;
revoke all on function enterprise_sampling_lot(uuid) from public;
grant execute on function enterprise_sampling_drawn(uuid, uuid, integer, integer, text, text) to {app};
grant execute on function enterprise_sampling_lot(uuid) to {app};
