-- The second wall: an enterprise sees its own, an office its own; money that moved is never changed.
revoke update, delete, truncate on policy_payment from {app};
revoke delete, truncate on policy_grant, policy_round, policy_policydraft, policy_objection, policy_application from {app};

alter table policy_statement enable row level security;
drop policy if exists concerned on policy_statement;
create policy concerned on policy_statement to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
);

alter table policy_subscription enable row level security;
drop policy if exists concerned on policy_subscription;
create policy concerned on policy_subscription to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
);

alter table policy_standing enable row level security;
drop policy if exists concerned on policy_standing;
create policy concerned on policy_standing to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
);

alter table policy_application enable row level security;
drop policy if exists concerned on policy_application;
create policy concerned on policy_application to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
);

alter table policy_policydraft enable row level security;
drop policy if exists concerned on policy_policydraft;
create policy concerned on policy_policydraft to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);

alter table policy_round enable row level security;
drop policy if exists concerned on policy_round;
create policy concerned on policy_round to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
  or exists (select 1 from policy_grant g where g.round_id = policy_round.id)
);

alter table policy_grant enable row level security;
drop policy if exists concerned on policy_grant;
create policy concerned on policy_grant to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);

alter table policy_payment enable row level security;
drop policy if exists concerned on policy_payment;
create policy concerned on policy_payment to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);

alter table policy_objection enable row level security;
drop policy if exists concerned on policy_objection;
create policy concerned on policy_objection to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);
