-- Genesys names a call by the operator's own id of it.

create index streams_by_call on streams (tenant_id, (terms ->> 'callId')) where state = 'registered';
