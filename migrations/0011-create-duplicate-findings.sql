-- A voice that enrols and is found among the voiceprints of other accounts: for the security team, and gone with either account.

create table duplicate_findings (
  tenant_id text not null,
  finding_id text not null,
  ordinal bigint not null generated always as identity,
  -- Who enrolled, and whose print the voice is like.
  account_id text not null,
  other_account_id text not null,
  enrolment_id text not null,
  model_id text not null,
  llr double precision not null,
  threshold_llr double precision not null,
  prints_searched integer not null,
  outcome text not null check (outcome in ('flagged', 'refused')),
  created_at timestamptz not null,
  -- What the security team made of it: whether both accounts may hold this voice.
  allowed boolean,
  resolved_at timestamptz,
  primary key (tenant_id, finding_id),
  foreign key (tenant_id, account_id) references accounts on delete cascade,
  foreign key (tenant_id, other_account_id) references accounts on delete cascade,
  check ((allowed is null) = (resolved_at is null))
);

create index duplicate_findings_in_order on duplicate_findings (tenant_id, ordinal);
create index duplicate_findings_of_account on duplicate_findings (tenant_id, account_id);
create index duplicate_findings_of_other on duplicate_findings (tenant_id, other_account_id);
