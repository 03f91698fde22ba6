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
