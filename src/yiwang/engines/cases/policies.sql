-- The second wall: even a query that forgot to filter sees only the actor's own cases.
revoke update, delete, truncate on cases_event, cases_rating from {app};
revoke delete, truncate on cases_case, cases_draft from {app};
revoke update, delete, truncate on cases_flow from {app};

create sequence if not exists cases_case_number;
grant usage on sequence cases_case_number to {app};

alter table cases_case enable row level security;
drop policy if exists concerned on cases_case;
create policy concerned on cases_case to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);

alter table cases_token enable row level security;
drop policy if exists concerned on cases_token;
create policy concerned on cases_token to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
  or exists (select 1 from cases_case c where c.id = case_id)
);

alter table cases_event enable row level security;
drop policy if exists concerned on cases_event;
create policy concerned on cases_event to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or exists (select 1 from cases_case c where c.id = case_id)
) with check (true);

alter table cases_clockinterval enable row level security;
drop policy if exists concerned on cases_clockinterval;
create policy concerned on cases_clockinterval to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or exists (select 1 from cases_case c where c.id = case_id)
);

alter table cases_draft enable row level security;
drop policy if exists own on cases_draft;
create policy own on cases_draft to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);

alter table cases_rating enable row level security;
drop policy if exists concerned on cases_rating;
create policy concerned on cases_rating to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or exists (select 1 from cases_case c where c.id = case_id)
);

revoke delete, truncate on cases_rectification from {app};
alter table cases_rectification enable row level security;
drop policy if exists concerned on cases_rectification;
create policy concerned on cases_rectification to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);

revoke delete, truncate on cases_undertaking from {app};
alter table cases_undertaking enable row level security;
drop policy if exists concerned on cases_undertaking;
create policy concerned on cases_undertaking to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);

revoke delete, truncate on cases_consent from {app};
alter table cases_consent enable row level security;
drop policy if exists concerned on cases_consent;
create policy concerned on cases_consent to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or asker_id = (select nullif(current_setting('app.subject', true), '')::uuid)
);

revoke delete, truncate on cases_review from {app};
alter table cases_review enable row level security;
drop policy if exists concerned on cases_review;
create policy concerned on cases_review to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
  or asker_org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);

-- A payment is a fact: never changed, never taken back by hand.
revoke delete, truncate on cases_grant from {app};
revoke update, delete, truncate on cases_payment from {app};
alter table cases_grant enable row level security;
drop policy if exists concerned on cases_grant;
create policy concerned on cases_grant to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);
alter table cases_payment enable row level security;
drop policy if exists concerned on cases_payment;
create policy concerned on cases_payment to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);

alter table cases_savedfilter enable row level security;
drop policy if exists own on cases_savedfilter;
create policy own on cases_savedfilter to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or person_id = (select nullif(current_setting('app.person', true), '')::uuid)
);

create or replace function cases_event_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'case events are append-only';
end $$;
drop trigger if exists append_only on cases_event;
create trigger append_only before update or delete on cases_event
  for each row execute function cases_event_append_only();
