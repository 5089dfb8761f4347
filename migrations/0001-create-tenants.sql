-- Every row of Voicegate belongs to a tenant, and an API key is how a request learns which: both exist before anything else.

create table tenants (
  tenant_id text primary key,
  name text not null,
  created_at timestamptz not null
);

create table api_keys (
  tenant_id text not null references tenants,
  key_id text not null,
  secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
  label text not null,
  roles text[] not null check (roles <@ array['verifier', 'enroller', 'analyst', 'admin']),
  answer text not null check (answer in ('full', 'opaque')),
  created_at timestamptz not null,
  revoked_at timestamptz,
  primary key (tenant_id, key_id)
);

-- A key is looked up before the tenant is known, so its public id is unique over all of them.
create unique index api_keys_by_id on api_keys (key_id);
