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
    form: (path, fields, audio, contentType = 'audio/wav') => {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value);
      form.set('audio', new Blob([Uint8Array.from(audio)], { type: contentType }), 'recording');
      return send('POST', path, { headers: { authorization }, body: form });
    },
  };
}
