-- Live calls: registered over HTTP, taken once by a door, ended by one outcome. No reference to accounts: an unknown account is asked alike.

create table streams (
  tenant_id text not null references tenants,
  stream_id text not null,
  api_key_id text not null,
  account_id text not null,
  terms json not null,
  line_hash bytea,
  pin text check (pin in ('right', 'wrong', 'not_set', 'not_checked')),
  -- Keyed hash of the PIN's hash that the PIN was checked against.
  pin_mark bytea,
  token_sha256 bytea not null unique check (octet_length(token_sha256) = 32),
  state text not null check (state in ('registered', 'live', 'ended')),
  outcome json,
  created_at timestamptz not null,
  -- Until then a door may take it.
  expires_at timestamptz not null,
  started_at timestamptz,
  -- The node that has it says again and again that it lives.
  lease_until timestamptz,
  ended_at timestamptz,
  primary key (tenant_id, stream_id),
  check ((state = 'ended') = (ended_at is not null)),
  check ((state = 'ended') = (outcome is not null))
);

create index streams_of_account on streams (tenant_id, account_id);
create index streams_live on streams (tenant_id, lease_until) where state = 'live';
create index streams_by_time on streams (tenant_id, created_at);
