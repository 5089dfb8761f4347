-- The judgements: the policy that made each, the record it left, and the answers kept for repeated requests.

create table policies (
  tenant_id text not null references tenants,
  version integer not null check (version >= 1),
  document json not null,
  created_at timestamptz not null,
  created_by text not null,
  active boolean not null default false,
  primary key (tenant_id, version)
);

create unique index policies_active on policies (tenant_id) where active;

-- account_id, call_id and line_hash go when the account is erased; the pseudonym stays (null: there was no such account).
create table verifications (
  tenant_id text not null references tenants,
  verification_id text not null,
  account_id text,
  pseudonym text,
  api_key_id text not null,
  challenge_id text,
  continues_verification_id text,
  continues_given integer not null check (continues_given >= 0),
  tier text not null check (tier in ('low', 'standard', 'high')),
  decision text not null check (decision in ('ACCEPT', 'REJECT', 'CONTINUE', 'STEP_UP', 'INCONCLUSIVE')),
  reasons text[] not null,
  evidence jsonb not null,
  policy_version integer not null,
  model_id text not null,
  call_id text,
  line_hash bytea,
  channel text,
  agent_id text,
  created_at timestamptz not null,
  timings_ms jsonb not null,
  outcome_factor text,
  outcome_passed boolean,
  outcome_label text check (outcome_label in ('genuine', 'fraud')),
  outcome_recorded_at timestamptz,
  primary key (tenant_id, verification_id),
  -- The rule that no policy may break: nothing is accepted with a wrong PIN.
  check (decision <> 'ACCEPT' or evidence ->> 'pin' is distinct from 'wrong')
);

create index verifications_of_account on verifications (tenant_id, account_id) where account_id is not null;
create index verifications_of_call on verifications (tenant_id, account_id, call_id) where decision = 'CONTINUE';
create index verifications_continuing on verifications (tenant_id, continues_verification_id)
  where continues_verification_id is not null;

-- The response is kept as it was written (json, not jsonb): a repeated request gets the same bytes.
create table idempotent_requests (
  tenant_id text not null references tenants,
  api_key_id text not null,
  idempotency_key text not null,
  request_sha256 bytea not null check (octet_length(request_sha256) = 32),
  response_status integer,
  response_body json,
  created_at timestamptz not null,
  primary key (tenant_id, api_key_id, idempotency_key)
);

create index idempotent_requests_by_time on idempotent_requests (tenant_id, created_at);
