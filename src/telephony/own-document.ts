import type { TSchema } from 'typebox';
import { ownPath, ownSubprotocol } from './own-door.js';
import { clientMessages, serverMessages } from './own-messages.js';
import { closeCodes } from './ws-doors.js';

const clientSummaries: Record<keyof typeof clientMessages, string> = {
  hello: 'First: which call, and how its audio is to be read. Going on with a broken call: with the same format',
  gap: 'Audio that is known to be lost: silence takes its place',
  dtmf: 'A key. # ends an answer in mode active',
  pause: 'No audio for a while, on purpose; without it 15 s of silence on the wire end the call',
  resume: 'Audio again',
  end: 'Nothing more will come: what was heard is judged',
};
const serverSummaries: Record<keyof typeof serverMessages, string> = {
  hello: 'The call was taken; keep the resume token for 30 s after a broken connection',
  progress: 'Speech was heard: at most twice a second',
  interim:
    'A look at the voice after each few seconds of speech: the newest alone, and all of it. An opaque key gets seconds only',
  verdict: 'The decision, as POST /v1/verifications answers it. An opaque key gets no reasons and no evidence',
  utterance: 'Enrolment: one utterance was heard, kept or not, and what to do next (`hint`)',
  enrolled: 'Enrolment: the voiceprint is made',
  error: 'The call was not taken, or failed; the connection is closed after it',
  closed: 'Last: nothing follows, the connection is closed',
};
const closeMeanings: Record<keyof typeof closeCodes, string> = {
  done: 'the call is over',
  failed: 'a fault of ours, or the call failed: INCONCLUSIVE',
  restarting: 'the service is stopping: INCONCLUSIVE',
  busy: 'as many calls are heard as this node takes: another node, or later',
  badMessage: 'not as this page says',
  unauthenticated: 'no right to this call',
  unknownStream: 'no such call, or taken already, or expired',
};

const description = `Register a call with \`POST /v1/streams\`, connect to the address it answers with sub-protocol \`${ownSubprotocol}\`, say \`hello\`, then send
audio in binary frames of any size up to 1 MiB, at the pace of the call; samples may be cut anywhere. Text frames are JSON with a \`type\`. permessage-deflate is
offered. The service stops reading while more than 3 s wait to be heard.

Close codes: ${Object.entries(closeCodes)
  .map(([name, code]) => `${code} ${closeMeanings[name as keyof typeof closeCodes]}`)
  .join('; ')}.`;

/**
 * The AsyncAPI 3 document of our own protocol, from the schemas that the door itself uses.
 * @param base scheme and host by which peers reach this service, http or https
 */
export function ownDocument(version: string, base: string): object {
  const { host, protocol } = new URL(base);
  const channel = '#/channels/call';
  const client = messagesOf('client', clientMessages, clientSummaries);
  const service = messagesOf('service', serverMessages, serverSummaries);
  const audio = {
    name: 'audio',
    title: 'audio',
    summary: 'Audio as the hello said; part of a sample is completed by the next frame',
    contentType: 'application/octet-stream',
    payload: { type: 'string', format: 'binary' },
  };
  const messages: readonly (readonly [string, object])[] = [...client, ['clientAudio', audio], ...service];
  const refs = (names: readonly string[]) => names.map((name) => ({ $ref: `${channel}/messages/${name}` }));
  return {
    asyncapi: '3.0.0',
    info: { title: 'Voicegate live calls', version, description },
    defaultContentType: 'application/json',
    servers: { here: { host, protocol: protocol === 'https:' ? 'wss' : 'ws' } },
    channels: {
      call: {
        address: ownPath,
        title: 'One call',
        bindings: {
          ws: {
            method: 'GET',
            query: {
              type: 'object',
              properties: {
                token: { type: 'string', description: 'Of POST /v1/streams; or in Authorization, or in the hello' },
              },
            },
            headers: {
              type: 'object',
              properties: {
                'sec-websocket-protocol': { type: 'string', const: ownSubprotocol },
                authorization: { type: 'string', description: 'Bearer and the token' },
              },
            },
            bindingVersion: '0.1.0',
          },
        },
        messages: Object.fromEntries(messages.map(([name]) => [name, { $ref: `#/components/messages/${name}` }])),
      },
    },
    operations: {
      hear: {
        action: 'receive',
        channel: { $ref: channel },
        summary: 'What a client sends',
        messages: refs([...client.map(([name]) => name), 'clientAudio']),
      },
      tell: {
        action: 'send',
        channel: { $ref: channel },
        summary: 'What the service sends',
        messages: refs(service.map(([name]) => name)),
      },
    },
    components: { messages: Object.fromEntries(messages) },
  };
}

function messagesOf(
  from: string,
  schemas: Readonly<Record<string, TSchema>>,
  summaries: Readonly<Record<string, string>>,
): (readonly [string, object])[] {
  return Object.entries(schemas).map(([type, schema]) => [
    `${from}${type[0]?.toUpperCase() ?? ''}${type.slice(1)}`,
    { name: type, title: type, summary: summaries[type], payload: JSON.parse(JSON.stringify(schema)) as object },
  ]);
}
