alter table notify_message enable row level security;
drop policy if exists own on notify_message;
create policy own on notify_message to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
);
