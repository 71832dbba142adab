/** OpenAI's models on Azure: the v1 API, or deployments with a dated api-version; by key or by Entra token. */
import { failureOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { Secret } from '../core/secret.ts';
import type { Target } from '../core/target.ts';
import { callHeaders } from './call-headers.ts';
import { withCallerQuery } from './call-query.ts';
import { classify } from './classify.ts';
import { createCredentialCache } from './credential-cache.ts';
import type { CredentialCache } from './credential-cache.ts';
import { openai, pathOf } from './openai.ts';
import type { Evidence, HttpCall, Preparation, ProviderAdapter } from './provider.ts';

const scope = 'https://cognitiveservices.azure.com/.default';
const caches = new WeakMap<Secret, CredentialCache<string>>();

function entraToken(secret: Secret): string | Promise<string> {
  let cache = caches.get(secret);
  if (cache === undefined) {
    cache = createCredentialCache(async () => {
      // Loaded when first needed: whoever does not use Entra does not pay for it.
      const { DefaultAzureCredential } = await import('@azure/identity');
      const { token, expiresOnTimestamp } = await new DefaultAzureCredential().getToken(scope);
      return { value: token, expiresAt: expiresOnTimestamp };
    });
    caches.set(secret, cache);
  }
  return cache.get();
}

function addressOf(target: Target, { dialect, operation }: Preparation): string {
  const { baseUrl, cloud } = target.provider;
  const resource = baseUrl.replace(/\/openai(?:\/v1)?$/, '');
  const path = pathOf(dialect, operation);
  const apiVersion = cloud?.apiVersion ?? null;
  if (apiVersion === null) return `${resource}/openai/v1${path}`;
  // Responses have no deployment in their address: the body names it.
  const place = dialect === 'openai-responses' ? '' : `/deployments/${encodeURIComponent(target.upstream)}`;
  return `${resource}/openai${place}${path}?api-version=${apiVersion}`;
}

function classifyAzure(evidence: Evidence, now: number): Failure {
  const failure = classify(evidence, now);
  const { words, status } = evidence;
  const said = (pattern: RegExp): boolean => words !== null && pattern.test(words.message);
  // A wrong key answers 401 with the code "401"; a missing deployment is no fault of the credential.
  if (words?.code === 'DeploymentNotFound') return { ...failure, class: 'model_not_found' };
  if (status === 429 && said(/high demand|at capacity|temporarily unable/i))
    return { ...failure, class: 'overloaded' };
  if (status === 429 && words?.code === 'insufficient_quota') return { ...failure, class: 'quota_exhausted' };
  if (status === 400 && words?.code === 'ResponsibleAIPolicyViolation')
    return { ...failure, class: 'content_refused' };
  return failure;
}

export const azureOpenai: ProviderAdapter = {
  offers: (operation, dialect) => openai.offers(operation, dialect),
  prepare(preparation) {
    const { target, secret, callerHeaders, callerQuery, traceparent, body } = preparation;
    const { cloud } = target.provider;
    const headers = callHeaders(callerHeaders, traceparent);
    const url = withCallerQuery(addressOf(target, preparation), callerQuery);
    const call: HttpCall = { url, headers, body };
    if (secret === null) return call;
    if (cloud?.auth === undefined || cloud.auth === null) {
      headers.set('api-key', secret.reveal());
      return call;
    }
    const withToken = (token: string): HttpCall => {
      headers.set('authorization', `Bearer ${token}`);
      return call;
    };
    const token = entraToken(secret);
    return typeof token === 'string'
      ? withToken(token)
      : token.then(withToken).catch(() => failureOf('credential_rejected', 'credential_source'));
  },
  classify: classifyAzure,
  requestId: (headers) => headers.get('apim-request-id') ?? headers.get('x-request-id'),
};
