import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * Whether an upgrade request carries the `X-Twilio-Signature` of one of our accounts: base64 of HMAC-SHA1 over the address that Twilio was given, under the
 * account's auth token (https://www.twilio.com/docs/usage/security). How Twilio writes the address of a WebSocket is not told exactly: with the port or
 * without, `wss` or `https`, with a slash behind or without are one address and all taken, as Twilio's own libraries do for the port.
 * @param authTokens one or more, so that they can be changed without a gap
 * @param host as the public knows it, with a port where there is one
 */
export function isSignedByTwilio(
  authTokens: readonly string[],
  host: string,
  { url, headers }: Pick<IncomingMessage, 'url' | 'headers'>,
): boolean {
  const given = headers['x-twilio-signature'];
  if (typeof given !== 'string') return false;
  const signature = Buffer.from(given, 'base64');
  let isRight = false;
  for (const authToken of authTokens) {
    for (const address of writings(host, url ?? '/')) {
      const right = createHmac('sha1', authToken).update(address).digest();
      if (right.length === signature.length && timingSafeEqual(right, signature)) isRight = true;
    }
  }
  return isRight;
}

/** The ways to write one address. */
function writings(host: string, path: string): string[] {
  const bareHost = host.replace(/:443$/, '');
  const hosts = /:\d+$/.test(bareHost) ? [bareHost] : [bareHost, `${bareHost}:443`];
  const barePath = path.replace(/\/$/, '');
  return ['wss', 'https'].flatMap((scheme) =>
    hosts.flatMap((one) => [`${scheme}://${one}${barePath}`, `${scheme}://${one}${barePath}/`]),
  );
}
