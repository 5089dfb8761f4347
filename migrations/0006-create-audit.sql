-- The sealed record. The database refuses to change it; that the refusal was not switched off is what the seals and signed heads show.

-- The event is kept as it was sealed (json, not jsonb).
create table audit_entries (
  tenant_id text not null references tenants,
  seq bigint not null check (seq >= 1),
  recorded_at timestamptz not null,
  event json not null,
  seal text not null check (seal ~ '^[0-9a-f]{64}$'),
  primary key (tenant_id, seq)
);

-- One row per tenant from the tenant's first moment; it moves with every entry, in the same transaction, and its lock orders the writers.
create table audit_heads (
  tenant_id text primary key references tenants,
  seq bigint not null default 0,
  seal text not null default repeat('0', 64),
  recorded_at timestamptz,
  signature text,
  check (seq = 0 or (recorded_at is not null and signature is not null))
);

insert into audit_heads (tenant_id) select tenant_id from tenants;

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit is append-only: % on % refused', tg_op, tg_table_name using errcode = 'insufficient_privilege';
end
$$;

create trigger audit_entries_append_only before update or delete or truncate on audit_entries
  for each statement execute function refuse_audit_change();

create trigger audit_heads_never_removed before delete or truncate on audit_heads
  for each statement execute function refuse_audit_change();

create trigger audit_heads_only_forward before update on audit_heads
  for each row when (new.seq is distinct from old.seq + 1 or new.tenant_id is distinct from old.tenant_id)
  execute function refuse_audit_change();
