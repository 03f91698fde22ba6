-- The application role reaches a register only through these functions: reading leaves an entry in the
-- ledger in the same transaction, writing back is the system's alone.
revoke all on registers_record from {app};

-- One subject. Null: the register does not answer now, and nothing was read; else {"found": …} or {}.
create or replace function register_read(
  p_use uuid, p_register text, p_kind text, p_key text, p_purpose text, p_basis text, p_case uuid, p_visible_from date
) returns jsonb language plpgsql security definer set search_path = public as $$
declare
  v_fields jsonb;
begin
  if exists (select 1 from registers_registerstate s where s.register = p_register and not s.up) then
    return null;
  end if;
  select fields into v_fields from registers_record where register = p_register and key = p_key;
  perform ledger_note(p_use, p_register, '*', p_purpose, p_basis, p_case, p_visible_from,
                      p_kind, array[p_key], array[v_fields is not null]);
  return case when v_fields is null then '{}'::jsonb else jsonb_build_object('found', v_fields) end;
end $$;

-- A list: one use, one entry for each subject asked for.
create or replace function register_read_many(
  p_use uuid, p_register text, p_kind text, p_keys text[], p_purpose text, p_basis text, p_case uuid, p_visible_from date
) returns table (key text, fields jsonb) language plpgsql security definer set search_path = public as $$
begin
  return query
    with asked as (
      select k.key, r.fields from unnest(p_keys) as k(key)
      left join registers_record r on r.register = p_register and r.key = k.key
    ), noted as (
      select ledger_note(p_use, p_register, '*', p_purpose, p_basis, p_case, p_visible_from,
                         p_kind, array_agg(asked.key), array_agg(asked.fields is not null)) from asked
    )
    select asked.key::text, asked.fields from asked, (select count(*) from noted) as first where asked.fields is not null;
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

revoke all on function register_read(uuid, text, text, text, text, text, uuid, date),
  register_read_many(uuid, text, text, text[], text, text, uuid, date) from public;
revoke all on function register_write(text, text, jsonb) from public;
grant execute on function register_read(uuid, text, text, text, text, text, uuid, date),
  register_read_many(uuid, text, text, text[], text, text, uuid, date) to {app};
grant execute on function register_write(text, text, jsonb) to {app};
