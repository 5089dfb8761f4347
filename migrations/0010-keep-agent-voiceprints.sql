-- Voices of agents, to be told from their customers' where both come in one channel. Nobody is let in by one, so they are no accounts' prints.

create table agent_voiceprints (
  tenant_id text not null references tenants,
  agent_id text not null,
  model_id text not null,
  embedding vector not null,
  net_speech_seconds double precision not null check (net_speech_seconds > 0),
  consent_text_version text not null,
  consent_reference text,
  created_at timestamptz not null,
  primary key (tenant_id, agent_id, model_id)
);
