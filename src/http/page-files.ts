import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { compiledPagesDir, pagesDir } from '../paths.js';
import { originOf } from './public-address.js';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
};

/** A file of a page, in memory. */
export interface PageFile {
  readonly type: string;
  readonly content: Buffer;
  readonly etag: string;
}

/** @param name whose ending says the type */
export function pageFile(name: string, content: Buffer): PageFile {
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  return { type: types[extname(name)] ?? 'application/octet-stream', content, etag };
}

/** The files of a page by name: what stands in src/pages, and its compiled scripts. */
export async function readPage(page: string): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const [dir, endings] of [
    [join(pagesDir, page), ['.html', '.css', '.svg']],
    [join(compiledPagesDir, page), ['.js']],
  ] as const) {
    for (const name of await readdir(dir)) {
      if ((endings as readonly string[]).includes(extname(name))) {
        files.set(name, pageFile(name, await readFile(join(dir, name))));
      }
    }
  }
  return files;
}

/**
 * Answers with a file of a page. Nothing but our own scripts and styles runs or is asked, no other site may frame it, and the microphone is for
 * it alone.
 */
export function sendPageFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { type, content, etag }: PageFile,
  publicUrl: string | null,
): FastifyReply {
  // Not every browser takes WebSockets of the same host for 'self'.
  const sockets = originOf(request, publicUrl).replace(/^http/, 'ws');
  void reply.headers({
    'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ${sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'permissions-policy': 'microphone=(self), camera=(), geolocation=(), display-capture=()',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-cache',
    etag,
  });
  if (request.headers['if-none-match'] === etag) return reply.status(304).send();
  return reply.type(type).send(content);
}
