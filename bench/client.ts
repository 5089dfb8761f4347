/** An answer of the service, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** A small HTTP client for demo, benches and tests: what an IVR engine would send. */
export interface Client {
  json(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** multipart/form-data with the recording as part `audio`; undefined fields are left out. */
  form(
    path: string,
    fields: Record<string, string | undefined>,
    audio: Uint8Array,
    contentType?: string,
  ): Promise<Answer>;
}

/** A client for one key at one address. */
export function createClient(url: string, apiKey: string): Client {
  const authorization = `Bearer ${apiKey}`;
  const send = async (method: string, path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, { method, ...init });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
      headers: response.headers,
    };
  };
  return {
    json: (method, path, body, headers = {}) =>
      send(method, path, {
        headers: { authorization, ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    form: (path, fields, audio, contentType = 'audio/wav') =>
      send('POST', path, {
        headers: { authorization, 'content-type': `multipart/form-data; boundary=${boundary}` },
        body: formBody(fields, audio, contentType),
      }),
  };
}

const boundary = 'voicegate-client-boundary';

/** The form as bytes: FormData would cost the client more than the request costs the service. */
function formBody(fields: Record<string, string | undefined>, audio: Uint8Array, contentType: string): Buffer {
  const part = (disposition: string, type = ''): string =>
    `--${boundary}\r\ncontent-disposition: form-data; ${disposition}\r\n${type}\r\n`;
  const texts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${part(`name="${name}"`)}${value}\r\n`);
  const head = texts.join('') + part('name="audio"; filename="recording"', `content-type: ${contentType}\r\n`);
  return Buffer.concat([Buffer.from(head), audio, Buffer.from(`\r\n--${boundary}--\r\n`)]);
}
