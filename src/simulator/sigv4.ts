/** Checks AWS signatures the way AWS does: makes the canonical request again from what arrived and compares. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import type { WireRequest } from './wire-request.ts';

export type Signed = { readonly kind: 'signed'; readonly key: string; readonly token: string | null };
export type Unsigned = {
  readonly kind: 'refused';
  readonly exception:
    | 'MissingAuthenticationTokenException'
    | 'UnrecognizedClientException'
    | 'InvalidSignatureException';
  readonly words: string;
};

const skewMsMax = 300_000;
const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
const refused = (exception: Unsigned['exception'], words: string): Unsigned => ({
  kind: 'refused',
  exception,
  words,
});

function timeOf(stamp: string): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(stamp) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** Every segment of the path is encoded once more, which is AWS's rule for all but S3. */
function canonicalPath(path: string): string {
  return path
    .split('/')
    .map((segment) =>
      encodeURIComponent(segment).replaceAll(
        /[!'()*]/g,
        (character) => `%${character.codePointAt(0)?.toString(16).toUpperCase()}`,
      ),
    )
    .join('/');
}

function canonicalRequest(request: WireRequest, names: readonly string[]): string {
  const [path = '', query = ''] = request.path.split('?');
  const lines = names.map(
    (name) => `${name}:${(request.headers.get(name) ?? '').trim().replaceAll(/\s+/g, ' ')}\n`,
  );
  const sorted = query.split('&').filter(Boolean).toSorted().join('&');
  return [
    request.method,
    canonicalPath(path),
    sorted,
    lines.join(''),
    names.join(';'),
    sha256(request.body),
  ].join('\n');
}

/** `keys`: `ACCESS_KEY_ID:SECRET`, as the simulated provider accepts them. */
export function checkSignature(
  request: WireRequest,
  keys: readonly string[],
  now: number,
): Signed | Unsigned {
  const header = request.headers.get('authorization') ?? '';
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([\da-f]{64})$/.exec(
      header,
    );
  if (match === null) return refused('MissingAuthenticationTokenException', 'Missing Authentication Token');
  const [, id = '', day = '', region = '', service = '', signedNames = '', signature = ''] = match;
  const key = keys.find((each) => each.startsWith(`${id}:`));
  if (key === undefined)
    return refused('UnrecognizedClientException', 'The security token included in the request is invalid.');
  const stamp = request.headers.get('x-amz-date') ?? '';
  const names = signedNames.split(';');
  if (!stamp.startsWith(day) || Math.abs(now - timeOf(stamp)) > skewMsMax)
    return refused('InvalidSignatureException', 'Signature expired: the date is out of range.');
  if (!names.includes('host') || service !== 'bedrock')
    return refused('InvalidSignatureException', 'Credential should be scoped to correct service: bedrock.');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonicalRequest(request, names))].join('\n');
  const secret = key.split(':')[1] ?? '';
  const signing = [region, service, 'aws4_request'].reduce<Buffer>(
    (so, part) => hmac(so, part),
    hmac(`AWS4${secret}`, day),
  );
  return timingSafeEqual(hmac(signing, text), Buffer.from(signature, 'hex'))
    ? { kind: 'signed', key, token: request.headers.get('x-amz-security-token') }
    : refused(
        'InvalidSignatureException',
        'The request signature we calculated does not match the signature you provided.',
      );
}
