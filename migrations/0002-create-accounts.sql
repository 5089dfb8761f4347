-- The operator's callers, what they agreed to, and the marks that outlive them.

create table accounts (
  tenant_id text not null references tenants,
  account_id text not null,
  created_at timestamptz not null,
  pseudonym_key bytea not null check (octet_length(pseudonym_key) = 32),
  pin_hash text,
  pin_set_at timestamptz,
  primary key (tenant_id, account_id),
  check ((pin_hash is null) = (pin_set_at is null))
);

-- By keyed hash, and without a reference to accounts: an opt-out is kept when the account is erased, and names nobody.
create table opt_outs (
  tenant_id text not null references tenants,
  account_hash bytea not null check (octet_length(account_hash) = 32),
  opted_out_at timestamptz not null,
  primary key (tenant_id, account_hash)
);

create table consents (
  tenant_id text not null,
  consent_id text not null,
  ordinal bigint not null generated always as identity,
  account_id text not null,
  purpose text not null,
  text_version text not null,
  channel text not null,
  evidence_reference text,
  agent_id text,
  given_at timestamptz not null,
  withdrawn_at timestamptz,
  primary key (tenant_id, consent_id),
  foreign key (tenant_id, account_id) references accounts on delete cascade
);

create index consents_of_account on consents (tenant_id, account_id, ordinal);
