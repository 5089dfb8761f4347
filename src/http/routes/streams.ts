import Type from 'typebox';
import { streamModes, streamProtocols } from '../../service/ports.js';
import type { ServiceContext } from '../../service/context.js';
import { getStream, registerStream } from '../../service/streams.js';
import type { App, HttpOptions } from '../http-app.js';
import { callerOf } from '../authentication.js';
import { sendEvents } from '../event-stream.js';
import { originOf } from '../public-address.js';
import {
  accountId,
  agentId,
  challenge,
  closed,
  enrolmentId,
  language,
  nullable,
  oneOf,
  pin,
  streamId,
  text,
  tier,
  time,
  verificationId,
} from '../schemas.js';

const mode = oneOf(
  streamModes,
  'active: the caller answers a challenge; passive: free speech is judged; enrolment: speech becomes a voiceprint',
);
const protocol = oneOf(streamProtocols, 'Whose protocol the call will come by');

const stream = closed({
  streamId,
  mode,
  protocol,
  state: oneOf(['registered', 'live', 'ended', 'expired'] as const, 'expired: nobody took it in time'),
  createdAt: time(''),
  expiresAt: time('A stream is taken once, until then'),
  startedAt: nullable(time('')),
  endedAt: nullable(time('')),
  outcome: nullable(
    Type.Unsafe<object>({
      type: 'object',
      additionalProperties: true,
      description:
        'kind verdict (decision, reasons, verificationId), enrolled (voiceprintId) or none (INCONCLUSIVE with reasons and cause: no verdict was made)',
    }),
  ),
});

/** Live calls: registered here, heard by a door, told as events. */
export const streamRoutes =
  ({ streams, publicUrl }: HttpOptions) =>
  (app: App, context: ServiceContext): void => {
    const config = { roles: ['verifier', 'enroller'] as const };
    const params = closed({ streamId });
    const tags = ['streams'];
    const endsOfAnswers = new Set<() => void>();
    // They go on as long as a call does, which a service that stops would wait for.
    app.addHook('preClose', async () => {
      for (const end of endsOfAnswers) end();
    });

    app.post(
      '/v1/streams',
      {
        config,
        schema: {
          summary: 'Register a live call',
          description:
            'Answers the address and the token by which it comes, once, within two minutes. Mode active answers a challenge too; mode enrolment takes the ' +
            'enrolmentId of an open enrolment in place of accountId. A PIN is checked now and counts when the call is judged.',
          tags,
          body: closed({
            mode,
            protocol: Type.Optional(protocol),
            accountId: Type.Optional(accountId),
            enrolmentId: Type.Optional(enrolmentId),
            tier: Type.Optional(tier),
            language: Type.Optional(language),
            pin: Type.Optional(pin),
            continues: Type.Optional(verificationId),
            callId: Type.Optional(
              text(128, 'The operator’s id of the call; for audiohook the conversationId, by which it is found'),
            ),
            lineNumber: Type.Optional(text(64, 'The caller’s line; kept as a keyed hash only')),
            channel: Type.Optional(text(50, 'ivr, agent, app …')),
            agentId: Type.Optional(agentId),
            identifiedByAgent: Type.Optional(
              Type.Boolean({ description: 'agentId has made sure who is calling; looked at in mode passive' }),
            ),
            eventsUrl: Type.Optional(text(2000, 'Where interim results and the verdict are sent as webhooks')),
          }),
          response: {
            201: closed({
              streamId,
              url: Type.String({ description: 'Where the call connects; one use' }),
              token: Type.String({
                format: 'uuid',
                description: 'The same secret alone, e.g. the UUID of AudioSocket',
              }),
              expiresAt: time(''),
              challenge: nullable(challenge),
              eventsSecret: nullable(Type.String({ description: 'Signs the webhooks; shown this once' })),
            }),
          },
        },
      },
      async (request, reply) => {
        const { body } = request;
        const wanted = body.protocol ?? 'voicegate';
        streams.checkDoor(wanted);
        if (body.eventsUrl !== undefined) streams.checkEventAddress(body.eventsUrl);
        const origin = originOf(request, publicUrl);
        const made = await registerStream(context, callerOf(request), {
          mode: body.mode,
          protocol: wanted,
          accountId: body.accountId ?? null,
          enrolmentId: body.enrolmentId ?? null,
          tier: body.tier ?? 'low',
          language: body.language ?? 'zh',
          pin: body.pin ?? null,
          continues: body.continues ?? null,
          identifiedByAgent: body.identifiedByAgent ?? false,
          call: {
            callId: body.callId ?? null,
            lineNumber: body.lineNumber ?? null,
            channel: body.channel ?? null,
            agentId: body.agentId ?? null,
          },
          eventsUrl: body.eventsUrl ?? null,
        });
        return reply.status(201).send({
          ...made,
          url: streams.addressOf(wanted, made.token, origin),
          eventsSecret: body.eventsUrl === undefined ? null : streams.eventsSecretOf(made.streamId),
        });
      },
    );
    app.get(
      '/v1/streams/:streamId',
      {
        config: { roles: ['verifier', 'enroller', 'analyst', 'admin'] },
        schema: { summary: 'How far a live call is', tags, params, response: { 200: stream } },
      },
      async (request) => getStream(context, callerOf(request), request.params.streamId),
    );
    app.get(
      '/v1/streams/:streamId/events',
      {
        config: { roles: ['verifier', 'enroller', 'analyst', 'admin'] },
        schema: {
          summary: 'What a live call tells, as server-sent events',
          description:
            'Events progress, interim, verdict, utterance, enrolled, error, closed; the answer ends with the call. Last-Event-ID goes on after a break. ' +
            'On another node than the one that hears the call only its end is told.',
          tags,
          params,
          headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ pattern: '^[0-9]{1,9}$' })) }),
        },
      },
      async (request, reply) => {
        const caller = callerOf(request);
        // Who may not see it is told so before the stream begins.
        await getStream(context, caller, request.params.streamId);
        const after = Number(request.headers['last-event-id'] ?? 0);
        const end = sendEvents(
          reply,
          streams.events,
          request.params.streamId,
          after,
          () => getStream(context, caller, request.params.streamId),
          async () => (await app.callerNow(request)) !== null,
        );
        endsOfAnswers.add(end);
        reply.raw.on('close', () => endsOfAnswers.delete(end));
        return reply;
      },
    );
  };
