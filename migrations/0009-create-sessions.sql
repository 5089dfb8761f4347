-- Pages sign in with a key once and get a session: kept here, so that signing out ends it on every node, and only as a hash, as keys are.

create table sessions (
  tenant_id text not null,
  token_sha256 bytea not null unique check (octet_length(token_sha256) = 32),
  key_id text not null,
  created_at timestamptz not null,
  -- Of the last request, to the minute.
  seen_at timestamptz not null,
  primary key (tenant_id, token_sha256),
  foreign key (tenant_id, key_id) references api_keys
);

create index sessions_by_time on sessions (tenant_id, seen_at);
