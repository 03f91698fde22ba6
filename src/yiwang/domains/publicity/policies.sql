-- Everybody reads what is public now; the offices' figures and every write are the system's.
revoke delete, truncate on publicity_notice from {app};
alter table publicity_notice enable row level security;
drop policy if exists in_force on publicity_notice;
create policy in_force on publicity_notice for select to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or (down_at is null and (until is null or until >= (now() at time zone 'Asia/Shanghai')::date))
);
drop policy if exists by_system on publicity_notice;
create policy by_system on publicity_notice for all to {app} using (
  (select current_setting('app.system', true)) = 'on'
);
