import type { FastifyRequest } from 'fastify';
import { VoicegateError } from '../errors.js';

/**
 * Scheme and host by which callers reach this service: as configured, else as the request names it. X-Forwarded-Proto and X-Forwarded-Host
 * count only where the proxy is trusted (Fastify's `trustProxy`).
 * @param publicUrl `VOICEGATE_PUBLIC_URL`; null: not set
 * @returns an origin as browsers write it (lower case, no default port), e.g. https://voice.example
 * @throws VoicegateError `invalid_request` when the request's Host is none
 */
export function originOf(request: FastifyRequest, publicUrl: string | null): string {
  const address = publicUrl ?? `${request.protocol}://${request.host}`;
  if (URL.canParse(address)) return new URL(address).origin;
  throw new VoicegateError('invalid_request', 'The Host of the request is none', {
    hint: 'Send the host, and the port if it is not the scheme’s own, by which this service is reached',
  });
}
