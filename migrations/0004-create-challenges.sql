-- What is asked of a caller, and what is counted against guessing. No reference to accounts: an unknown account is asked and counted alike.

create table challenges (
  tenant_id text not null references tenants,
  challenge_id text not null,
  ordinal bigint not null generated always as identity,
  account_id text not null,
  digits text not null check (digits ~ '^[0-9]+$'),
  purpose text not null check (purpose in ('verification')),
  language text not null check (language in ('zh', 'en')),
  line_hash bytea,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (tenant_id, challenge_id)
);

create index challenges_of_account on challenges (tenant_id, account_id, ordinal);
create index challenges_open on challenges (tenant_id, account_id, ordinal) where used_at is null;
create index challenges_by_expiry on challenges (tenant_id, expires_at);

create table attempts (
  tenant_id text not null references tenants,
  account_id text not null,
  failures integer not null default 0 check (failures >= 0),
  wrong_pins integer not null default 0 check (wrong_pins >= 0),
  locked_until timestamptz,
  disabled boolean not null default false,
  touched_at timestamptz not null default now(),
  primary key (tenant_id, account_id)
);

create index attempts_by_time on attempts (tenant_id, touched_at);

create table velocity_failures (
  tenant_id text not null references tenants,
  ordinal bigint not null generated always as identity,
  subject text not null,
  account_id text not null,
  failed_at timestamptz not null,
  primary key (tenant_id, ordinal)
);

create index velocity_failures_of_subject on velocity_failures (tenant_id, subject, failed_at);
create index velocity_failures_of_account on velocity_failures (tenant_id, account_id);
create index velocity_failures_by_time on velocity_failures (tenant_id, failed_at);
