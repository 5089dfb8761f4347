-- Enrolments in progress and the voiceprints they end in. Vectors have no fixed dimension: it differs between models, and model_id tells.

create extension if not exists vector;

create table enrolments (
  tenant_id text not null,
  enrolment_id text not null,
  account_id text not null,
  state text not null check (state in ('open', 'completed', 'cancelled', 'superseded')),
  model_id text not null,
  policy_version integer not null,
  language text not null check (language in ('zh', 'en')),
  prompts text[] not null,
  proof text not null check (proof in ('pin', 'agent', 'verification', 'override')),
  agent_id text,
  replaces_voiceprint boolean not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, enrolment_id),
  foreign key (tenant_id, account_id) references accounts on delete cascade
);

create index enrolments_of_account on enrolments (tenant_id, account_id);

create table enrolment_utterances (
  tenant_id text not null,
  utterance_id text not null,
  ordinal bigint not null generated always as identity,
  enrolment_id text not null,
  embedding vector not null,
  net_speech_seconds double precision not null check (net_speech_seconds >= 0),
  created_at timestamptz not null,
  primary key (tenant_id, utterance_id),
  foreign key (tenant_id, enrolment_id) references enrolments on delete cascade
);

create index enrolment_utterances_of_enrolment on enrolment_utterances (tenant_id, enrolment_id, ordinal);

create table voiceprints (
  tenant_id text not null,
  voiceprint_id text not null,
  account_id text not null,
  model_id text not null,
  embedding vector not null,
  net_speech_seconds double precision not null check (net_speech_seconds >= 0),
  created_at timestamptz not null,
  supersedes_voiceprint_id text,
  superseded_at timestamptz,
  primary key (tenant_id, voiceprint_id),
  foreign key (tenant_id, account_id) references accounts on delete cascade
);

create index voiceprints_of_account on voiceprints (tenant_id, account_id);
-- One voice per account: two enrolments that complete at once cannot both stand.
create unique index voiceprints_active on voiceprints (tenant_id, account_id) where superseded_at is null;

create table voiceprint_utterances (
  tenant_id text not null,
  voiceprint_id text not null,
  position integer not null,
  embedding vector not null,
  net_speech_seconds double precision not null check (net_speech_seconds >= 0),
  primary key (tenant_id, voiceprint_id, position),
  foreign key (tenant_id, voiceprint_id) references voiceprints on delete cascade
);
