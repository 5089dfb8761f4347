-- While the speaker model is changed an account holds a print by each: they stand side by side, and one may grow from accepted calls.

drop index voiceprints_active;
-- One voice per account and model: two enrolments that complete at once cannot both stand.
create unique index voiceprints_active on voiceprints (tenant_id, account_id, model_id) where superseded_at is null;

-- When the owner enrolled the voice: a print that was derived from another keeps that one's time, and its youth with it.
alter table voiceprints add column enrolled_at timestamptz;
update voiceprints set enrolled_at = created_at;
alter table voiceprints alter column enrolled_at set not null;
-- Null: made by an enrolment. No reference: the print it was derived from may be retired before it.
alter table voiceprints add column derived_from_voiceprint_id text;

-- An utterance of an enrolment is embedded by every loaded model.
alter table enrolment_utterances add column model_id text;
update enrolment_utterances u set model_id = e.model_id
  from enrolments e where e.tenant_id = u.tenant_id and e.enrolment_id = u.enrolment_id;
alter table enrolment_utterances alter column model_id set not null;
alter table enrolment_utterances drop constraint enrolment_utterances_pkey;
alter table enrolment_utterances add primary key (tenant_id, utterance_id, model_id);

-- Utterances of accepted calls from which a print by another model grows. Each call gives one.
create table voiceprint_candidates (
  tenant_id text not null,
  verification_id text not null,
  ordinal bigint not null generated always as identity,
  account_id text not null,
  model_id text not null,
  -- The print that judged the call: when it goes, what was gathered on its word goes with it.
  base_voiceprint_id text not null,
  embedding vector not null,
  net_speech_seconds double precision not null check (net_speech_seconds >= 0),
  created_at timestamptz not null,
  primary key (tenant_id, verification_id, model_id),
  foreign key (tenant_id, account_id) references accounts on delete cascade,
  foreign key (tenant_id, base_voiceprint_id) references voiceprints on delete cascade
);

create index voiceprint_candidates_of_account on voiceprint_candidates (tenant_id, account_id, model_id, ordinal);
create index voiceprint_candidates_of_base on voiceprint_candidates (tenant_id, base_voiceprint_id);
create index voiceprint_candidates_of_model on voiceprint_candidates (tenant_id, model_id, account_id);

-- A change goes through the tenant's prints model by model, and is foretold from the rate of these calls.
create index voiceprints_of_model on voiceprints (tenant_id, model_id, account_id) where superseded_at is null;
create index verifications_accepted_high on verifications (tenant_id, created_at)
  where tier = 'high' and decision = 'ACCEPT' and account_id is not null;
