revoke delete, truncate on files_storedfile from {app};
alter table files_storedfile enable row level security;
drop policy if exists own on files_storedfile;
create policy own on files_storedfile to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);
