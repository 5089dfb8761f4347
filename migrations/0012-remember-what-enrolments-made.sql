-- An enrolment just made can be undone by the key that made it: who began it, when it completed, which prints it made and which it superseded.

alter table enrolments
  add column api_key_id text,
  add column completed_at timestamptz,
  drop constraint enrolments_state_check,
  add constraint enrolments_state_check check (state in ('open', 'completed', 'cancelled', 'superseded', 'undone'));

alter table voiceprints
  -- Null for prints of before, and for those made quietly.
  add column enrolment_id text,
  add column superseded_by_enrolment_id text;
