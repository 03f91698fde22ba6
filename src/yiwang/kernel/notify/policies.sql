alter table notify_message enable row level security;
drop policy if exists own on notify_message;
create policy own on notify_message to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
);

revoke delete, truncate on notify_delivery, notify_reach from {app};
alter table notify_delivery enable row level security;
drop policy if exists own on notify_delivery;
create policy own on notify_delivery to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
);
alter table notify_reach enable row level security;
drop policy if exists own on notify_reach;
create policy own on notify_reach to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
);
