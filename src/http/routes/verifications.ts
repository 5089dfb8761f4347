import Type, { type Static } from 'typebox';
import type { ServiceContext } from '../../service/context.js';
import { verifyOnce } from '../../service/idempotency.js';
import { getVerification, recordOutcome } from '../../service/outcomes.js';
import type { App } from '../http-app.js';
import { filePart, formChannel, fromForm, fromJson, jsonAudio } from '../audio-body.js';
import { callerOf } from '../authentication.js';
import {
  accountId,
  agentId,
  challengeId,
  closed,
  identifiedByAgent,
  oneOf,
  pin,
  text,
  tier,
  verification,
  verificationId,
} from '../schemas.js';
import { verificationView } from '../../service/verification-view.js';

const fields = {
  accountId,
  challengeId: Type.Optional(challengeId),
  pin: Type.Optional(pin),
  tier,
  continues: Type.Optional(verificationId),
  callId: Type.Optional(text(128, 'The operator’s id of the call')),
  lineNumber: Type.Optional(text(64, 'The caller’s line; kept as a keyed hash only')),
  channel: Type.Optional(text(50, 'ivr, agent, app …')),
  agentId: Type.Optional(agentId),
  identifiedByAgent: Type.Optional(identifiedByAgent),
};
const jsonBody = closed({ ...fields, audio: jsonAudio });
const formBody = closed({ ...fields, audio: Type.Optional(filePart), audioChannel: Type.Optional(formChannel) });

/** Verifications: one recording, one decision. */
export function verificationRoutes(app: App, context: ServiceContext): void {
  const params = closed({ verificationId });
  const tags = ['verification'];

  app.post(
    '/v1/verifications',
    {
      config: { roles: ['verifier'] },
      schema: {
        summary: 'Judge a recording with the PIN',
        description:
          'The challenge is used up by the first recording that is judged. Without challengeId free speech is judged (see the policy’s ' +
          'passive). Idempotency-Key is honoured for a day.',
        tags,
        headers: Type.Object({ 'idempotency-key': Type.Optional(text(128, 'Repeats give the first answer')) }),
        consumes: ['application/json', 'multipart/form-data'],
        body: {
          content: {
            'application/json': { schema: jsonBody },
            'multipart/form-data': { schema: formBody },
          },
        },
        response: { 200: verification },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const form = request.isMultipart() ? (request.body as Static<typeof formBody>) : null;
      const body = (form ?? request.body) as Static<typeof jsonBody>;
      const audio = form === null ? fromJson(body.audio) : fromForm(form.audio, form.audioChannel);
      const key = request.headers['idempotency-key'];
      const answer = await verifyOnce(
        context,
        caller,
        key ?? null,
        {
          accountId: body.accountId,
          challengeId: body.challengeId ?? null,
          audio,
          pin: body.pin ?? null,
          tier: body.tier,
          continues: body.continues ?? null,
          identifiedByAgent: body.identifiedByAgent === true || body.identifiedByAgent === 'true',
          call: {
            callId: body.callId ?? null,
            lineNumber: body.lineNumber ?? null,
            channel: body.channel ?? null,
            agentId: body.agentId ?? null,
          },
        },
        (made) => ({ status: 200, body: verificationView(caller, made.verification, made.nextChallenge) }),
      );
      return reply.status(200).send(answer.body as Static<typeof verification>);
    },
  );
  app.get(
    '/v1/verifications/:verificationId',
    {
      config: { roles: ['verifier', 'analyst', 'admin'] },
      schema: { summary: 'The record of a verification', tags, params, response: { 200: verification } },
    },
    async (request) => {
      const caller = callerOf(request);
      return verificationView(caller, await getVerification(context, caller, request.params.verificationId), null);
    },
  );
  app.post(
    '/v1/verifications/:verificationId/outcome',
    {
      config: { roles: ['verifier', 'analyst'] },
      schema: {
        summary: 'End a STEP_UP, or label a call',
        tags,
        params,
        body: Type.Object(
          {
            factor: Type.Optional(text(50, 'What ended the STEP_UP: sms_otp, agent_questions …')),
            passed: Type.Optional(Type.Boolean()),
            label: Type.Optional(oneOf(['genuine', 'fraud'] as const, 'What the call turned out to be')),
          },
          { additionalProperties: false, minProperties: 1, dependencies: { factor: ['passed'], passed: ['factor'] } },
        ),
        response: { 200: verification },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { factor, passed, label } = request.body;
      const row = await recordOutcome(context, caller, request.params.verificationId, {
        factor: factor ?? null,
        passed: passed ?? null,
        label: label ?? null,
      });
      return verificationView(caller, row, null);
    },
  );
}
