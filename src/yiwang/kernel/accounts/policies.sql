-- Names, ID numbers and phones: to the person, and to the system on somebody's behalf.
revoke delete, truncate on accounts_person from {app};
alter table accounts_person enable row level security;
drop policy if exists own on accounts_person;
create policy own on accounts_person to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or id = (select nullif(current_setting('app.person', true), '')::uuid)
);
