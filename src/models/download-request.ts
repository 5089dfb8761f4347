import { VoicegateError } from '../errors.js';

/** Where a file is asked for and how. */
export interface DownloadRequest {
  readonly url: string;
  /** Plain HTTP to other machines too, not only to this one. */
  readonly allowHttp: boolean;
  /** `Range` and `If-Range` where a part is there. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const mostRedirects = 5;
const fileItself = 'Give the address of the file itself';

/**
 * Asks for a file, following redirects, each address checked.
 * @returns an answer of status 200, 206 or, where a part was asked for, 416
 * @throws VoicegateError `invalid_request` for an address that is not fetched from, `download_failed` saying what the network or server did
 */
export async function requestFile({ url, allowHttp, headers, signal }: DownloadRequest): Promise<Response> {
  let address = checkedAddress(url, allowHttp);
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const response = await fetch(address, {
      redirect: 'manual',
      // A packed answer could not be gone on with where it was cut.
      headers: { ...headers, 'accept-encoding': 'identity' },
      signal,
    }).catch((cause: unknown) => {
      throw networkFault(cause, address.host, signal);
    });
    if (response.status === 200 || response.status === 206 || (response.status === 416 && 'range' in headers)) return response;
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) throw statusFault(response, address);
    if (!URL.canParse(location, address.href)) {
      throw new VoicegateError('download_failed', `${shownAddress(address.href)} leads on to no address`, { hint: fileItself });
    }
    address = checkedAddress(new URL(location, address).href, allowHttp);
  }
  throw new VoicegateError('download_failed', `${shownAddress(url)} leads on more than ${mostRedirects} times`, {
    hint: fileItself,
  });
}

/** Addresses are shown without what follows the path: a signed address is a secret. */
export function shownAddress(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

function checkedAddress(url: string, allowHttp: boolean): URL {
  const refuse = (reason: string, hint: string): never => {
    throw new VoicegateError('invalid_request', `the address ${reason}`, { hint });
  };
  if (!URL.canParse(url)) return refuse(`${url.replace(/\?.*/s, '')} is none`, 'https://host/path/file.onnx');
  const address = new URL(url);
  if (address.username !== '' || address.password !== '') {
    return refuse('holds a user name or password', 'Fetch the file yourself, then `voicegate models add FILE`');
  }
  const here = ['localhost', '127.0.0.1', '[::1]'].includes(address.hostname);
  if (address.protocol === 'https:' || (address.protocol === 'http:' && (here || allowHttp))) return address;
  return refuse(`${shownAddress(url)} is not https`, 'Give an https address, or --allow-http where the way to the server is your own');
}

/** Says what the network did in words that tell what to do. */
function networkFault(cause: unknown, host: string, signal: AbortSignal): VoicegateError {
  if (signal.aborted && signal.reason instanceof VoicegateError) return signal.reason;
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const code = (inner as NodeJS.ErrnoException | null)?.code ?? 'unknown';
  return new VoicegateError('download_failed', `${host}: ${whatHappened(code)} (${code})`, {
    hint: 'Proxies are not used. Where this machine has no way to it, fetch the file elsewhere and `voicegate models add FILE`',
    cause,
  });
}

function whatHappened(code: string): string {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'no such host is known here: the network is closed, or its names are not served';
    case 'ECONNREFUSED':
      return 'nobody listens there, or a firewall refuses';
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return 'there is no way to it from here: the network is closed';
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'no answer: a firewall may swallow it';
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return 'the connection was cut';
    default:
      return /CERT|TLS|SSL|ISSUER|SIGNED/.test(code)
        ? 'its certificate is not trusted here; a proxy that opens TLS needs its authority in NODE_EXTRA_CA_CERTS'
        : 'the connection failed';
  }
}

function statusFault({ status, headers }: Response, address: URL): VoicegateError {
  const where = shownAddress(address.href);
  const retryAfterSeconds = Number(headers.get('retry-after'));
  return new VoicegateError('download_failed', `${where} answers ${status}`, {
    hint:
      status === 404 || status === 410
        ? 'The file is not there (any more): give its address with --url'
        : status === 401 || status === 403
          ? 'The server wants to know who asks: fetch the file yourself, then `voicegate models add FILE`'
          : 'Try again later, or give another address with --url',
    details: { status },
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  });
}
