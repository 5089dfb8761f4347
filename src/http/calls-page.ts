import { originOf } from './public-address.js';
import type { App, HttpOptions } from './http-app.js';

/** The parts of an AsyncAPI 3 document that are shown. */
interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly channels: Readonly<Record<string, { readonly address: string }>>;
  readonly operations: Readonly<
    Record<string, { readonly summary: string; readonly messages: readonly { readonly $ref: string }[] }>
  >;
  readonly components: {
    readonly messages: Readonly<
      Record<string, { readonly name: string; readonly summary: string; readonly payload: JsonSchema }>
    >;
  };
}

interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

/** Serves the protocol of live calls as it serves the API: the document, and a page for people. No key is needed. */
export const callsPage =
  ({ streams, version, publicUrl }: Pick<HttpOptions, 'streams' | 'version' | 'publicUrl'>) =>
  (app: App): void => {
    app.get('/docs/asyncapi.json', { schema: { hide: true } }, async (request) =>
      streams.protocolDocument(version, originOf(request, publicUrl)),
    );
    app.get('/docs/calls', { schema: { hide: true } }, async (request, reply) => {
      const document = streams.protocolDocument(version, originOf(request, publicUrl)) as Document;
      return reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
        .send(pageOf(document));
    });
  };

function pageOf({ info, channels, operations, components }: Document): string {
  const sections = Object.values(operations).map(({ summary, messages }) => {
    const parts = messages.map(({ $ref }) => {
      const message = components.messages[$ref.split('/').at(-1) ?? ''];
      if (message === undefined) return '';
      const rows = rowsOf(message.payload, '');
      const table =
        rows.length === 0 ? '' : `<table><tr><th>field</th><th>value</th><th>meaning</th></tr>${rows.join('')}</table>`;
      return `<h3>${escaped(message.name)}</h3><p>${escaped(message.summary)}</p>${table}`;
    });
    return `<h2>${escaped(summary)}</h2>${parts.join('')}`;
  });
  const addresses = Object.values(channels).map(({ address }) => `<code>${escaped(address)}</code>`);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(info.title)}</title><style>${style}</style></head><body>
<h1>${escaped(info.title)}</h1><p>Version ${escaped(info.version)}, WebSocket ${addresses.join(', ')}; <a href="asyncapi.json">as AsyncAPI 3</a></p>
${info.description
  .split('\n\n')
  .map((paragraph) => `<p>${escaped(paragraph).replaceAll(/`([^`]+)`/g, '<code>$1</code>')}</p>`)
  .join('')}${sections.join('')}</body></html>`;
}

/** A row for each field, those of objects inside named with a dot. */
function rowsOf(schema: JsonSchema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const optional = schema.required?.includes(name) === true ? '' : ' (optional)';
    const row = `<tr><td><code>${escaped(path)}</code>${optional}</td><td>${valueOf(field)}</td><td>${escaped(field.description ?? '')}</td></tr>`;
    const inner = field.anyOf?.find(({ properties }) => properties !== undefined) ?? field;
    return [row, ...rowsOf(inner, `${path}.`)];
  });
}

function valueOf({
  type,
  const: only,
  enum: values,
  anyOf,
  items,
  format,
  pattern,
  minimum,
  maximum,
}: JsonSchema): string {
  if (only !== undefined) return `<code>${escaped(JSON.stringify(only))}</code>`;
  if (values !== undefined) return values.map((value) => `<code>${escaped(String(value))}</code>`).join(' ');
  if (anyOf !== undefined) return anyOf.map(valueOf).join(' or ');
  if (items !== undefined) return `list of ${valueOf(items)}`;
  const range = minimum === undefined ? '' : maximum === undefined ? ` from ${minimum}` : ` ${minimum} to ${maximum}`;
  return escaped(`${format ?? type ?? 'anything'}${range}${pattern === undefined ? '' : `, ${pattern}`}`);
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top}
h2{margin-top:2.5rem}code{font-size:.9em;overflow-wrap:anywhere}`;
