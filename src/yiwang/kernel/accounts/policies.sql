-- Names, ID numbers and phones: to the person, and to the system on somebody's behalf.
revoke delete, truncate on accounts_person from {app};
alter table accounts_person enable row level security;
drop policy if exists own on accounts_person;
create policy own on accounts_person to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or id = (select nullif(current_setting('app.person', true), '')::uuid)
);

revoke delete, truncate on accounts_enterprise, accounts_mandate from {app};
alter table accounts_mandate enable row level security;
drop policy if exists concerned on accounts_mandate;
create policy concerned on accounts_mandate to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or agent_id = (select nullif(current_setting('app.person', true), '')::uuid)
) with check (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
);
alter table accounts_enterprise enable row level security;
drop policy if exists concerned on accounts_enterprise;
create policy concerned on accounts_enterprise to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or exists (select 1 from accounts_mandate m where m.subject_id = accounts_enterprise.id)
);

-- A token is looked at by the system alone, when somebody signs in with it; it is never deleted.
revoke delete, truncate on accounts_apitoken from {app};
alter table accounts_apitoken enable row level security;
drop policy if exists system on accounts_apitoken;
create policy system on accounts_apitoken to {app} using (
  (select current_setting('app.system', true)) = 'on'
);

-- Who is calling, in one round trip before every request: the token, its person, the posts he holds today,
-- and the subjects whose agent he is. Whoever has the token's hash has the token.
create or replace function account_of_token(p_sha256 bytea, p_today date) returns table (
  token_id uuid, scopes text[], used date, user_id uuid, person_id uuid, name text, posts jsonb, interests uuid[]
) language sql stable security definer set search_path = public as $$
  select t.id, t.scopes::text[], t.used, u.id, p.id, p.name,
    (select jsonb_agg(jsonb_build_array(o.org_id, to_jsonb(o.roles))) from orgs_post o
      where o.person_id = p.id and o.since <= p_today and (o.until is null or o.until >= p_today)),
    (select array_agg(m.subject_id) from accounts_mandate m
      where m.agent_id = p.id and m.revoked_at is null
        and m.since <= p_today and (m.until is null or m.until >= p_today))
  from accounts_apitoken t
  join accounts_user u on u.id = t.user_id and u.is_active
  join accounts_person p on p.id = u.person_id
  where t.sha256 = p_sha256 and t.revoked_at is null and t.expires >= p_today
$$;
revoke all on function account_of_token(bytea, date) from public;
grant execute on function account_of_token(bytea, date) to {app};
