revoke delete, truncate on documents_issueddocument from {app};
alter table documents_issueddocument enable row level security;
drop policy if exists concerned on documents_issueddocument;
create policy concerned on documents_issueddocument to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or holder_id = (select nullif(current_setting('app.subject', true), '')::uuid)
  or org_id = any ((select nullif(current_setting('app.orgs', true), '')::uuid[])::uuid[])
);

-- Anybody who holds the code may check the document: what it is, not what it says.
create or replace function document_verify(p_code text) returns table (
  title text, number text, org_name text, subject_name text, issued_at timestamptz,
  revoked_at timestamptz, sha256 text
) language sql security definer set search_path = public as $$
  select title, number, org_name, subject_name, issued_at, revoked_at, sha256
  from documents_issueddocument where code = p_code
$$;
revoke all on function document_verify(text) from public;
grant execute on function document_verify(text) to {app};
