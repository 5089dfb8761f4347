import type { FastifyRequest } from 'fastify';

/**
 * Scheme and host by which callers reach this service: as configured, else as the request names it. X-Forwarded-Proto and X-Forwarded-Host
 * count only where the proxy is trusted (Fastify's `trustProxy`).
 * @param publicUrl `VOICEGATE_PUBLIC_URL`; null: not set
 * @returns an origin as browsers write it (lower case, no default port), e.g. https://voice.example
 */
export function originOf(request: FastifyRequest, publicUrl: string | null): string {
  const address = publicUrl ?? `${request.protocol}://${request.host}`;
  return URL.canParse(address) ? new URL(address).origin : address;
}
