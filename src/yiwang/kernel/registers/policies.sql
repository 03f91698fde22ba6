-- The application role reaches a register only through these two functions: reading leaves a trace
-- in the same transaction, writing back is the system's alone.
revoke all on registers_record from {app};
revoke insert, update, delete, truncate on registers_lookup from {app};

create or replace function register_read(
  p_id uuid, p_register text, p_key text, p_purpose text, p_case uuid
) returns jsonb language plpgsql security definer set search_path = public as $$
declare
  v_actor text := coalesce(current_setting('app.actor', true), '');
  v_fields jsonb;
begin
  if v_actor in ('', 'visitor') then
    raise exception 'register_read: nobody is acting' using errcode = 'insufficient_privilege';
  end if;
  select fields into v_fields from registers_record where register = p_register and key = p_key;
  insert into registers_lookup (id, at, actor, register, key, subject_id, purpose, case_id, found)
  values (p_id, now(), v_actor, p_register, p_key,
          (select id from accounts_person where idno = p_key), p_purpose, p_case, v_fields is not null);
  return v_fields;
end $$;

create or replace function register_write(p_register text, p_key text, p_fields jsonb)
returns void language plpgsql security definer set search_path = public as $$
begin
  if coalesce(current_setting('app.system', true), '') <> 'on' then
    raise exception 'register_write: only the system writes results back' using errcode = 'insufficient_privilege';
  end if;
  insert into registers_record (register, key, fields, updated) values (p_register, p_key, p_fields, now())
  on conflict (register, key) do update
    set fields = registers_record.fields || excluded.fields, updated = now();
end $$;

revoke all on function register_read(uuid, text, text, text, uuid) from public;
revoke all on function register_write(text, text, jsonb) from public;
grant execute on function register_read(uuid, text, text, text, uuid) to {app};
grant execute on function register_write(text, text, jsonb) to {app};

alter table registers_lookup enable row level security;
drop policy if exists seen on registers_lookup;
create policy seen on registers_lookup for select to {app} using (
  (select current_setting('app.system', true)) = 'on'
  or subject_id = (select nullif(current_setting('app.subject', true), '')::uuid)
);
