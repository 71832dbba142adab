/** The status site over HTTP: its files with the headers that let them be cached, and be read from any page. */
import { didYouMean } from '../core/nearest.ts';
import { banner } from '../site/banner.ts';
import { placeAt, siteFile } from '../site/files.ts';
import type { SiteFile } from '../site/files.ts';
import { pathOf } from '../site/site.ts';
import type { Site } from '../site/site.ts';
import { urlOf } from './routes.ts';

const cacheControl = 'public, max-age=10, stale-while-revalidate=60, stale-if-error=86400';

/** Null for a path that is not of the status site. */
export type StatusRoutes = { readonly handle: (path: string, request: Request) => Response | null };

/** The page may show its logo and nothing else from elsewhere; no script, no form, no frame of its own. */
function securityPolicy({ settings }: Site): string {
  const logo = settings.logo ?? '';
  const images = logo.startsWith('data:') ? 'data:' : URL.canParse(logo) ? new URL(logo).origin : '';
  return `default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'${images === '' ? '' : `; img-src ${images}`}`;
}

/** Anybody's page may read it; no credential is ever looked at. */
const open = { 'access-control-allow-origin': '*', 'x-content-type-options': 'nosniff' } as const;

function publicAnswer({ type, body }: SiteFile, request: Request): Response {
  const etag = `W/"${Bun.hash(body).toString(36)}"`;
  const headers = { ...open, 'content-type': type, 'cache-control': cacheControl, etag };
  if (isHeld(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers });
  // To a `HEAD` the server sends the length of this body, and not the body.
  return new Response(body, { headers });
}

const strong = (tag: string): string => tag.trim().replace(/^W\//, '');

/** Whether who asks has it already: one of several tags, weak or not, as caches send them. */
function isHeld(header: string | null, etag: string): boolean {
  return (header ?? '')
    .slice(0, 2_000)
    .split(',')
    .some((tag) => tag.trim() === '*' || strong(tag) === strong(etag));
}

/** For people who follow an old link. */
function nothingHere(): Response {
  return new Response(
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Nothing here</title></head><body><main><h1>There is nothing here, or not any more</h1><p><a href="../../status">How it is now</a></p></main></body></html>\n',
    {
      status: 404,
      headers: { ...open, 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    },
  );
}

function refusal(status: 400 | 404, message: string, field: string): Response {
  return Response.json(
    { error: { code: status === 400 ? 'invalid' : 'not_found', message, field } },
    { status, headers: { ...open, 'cache-control': 'no-store' } },
  );
}

const bannerParameters = ['feature', 'locale'] as const;

function bannerAnswer(site: Site, request: Request): Response {
  const query = urlOf(request).searchParams;
  for (const name of query.keys())
    if (!bannerParameters.some((each) => each === name))
      return refusal(
        400,
        `Unknown parameter "${name}". ${didYouMean(name, bannerParameters) || `Known are ${bannerParameters.join(', ')}.`}`,
        name,
      );
  const feature = query.get('feature');
  const body = banner(site, { feature, locale: (query.get('locale') ?? 'en').slice(0, 35) });
  if (body === null) return refusal(404, `There is no feature "${(feature ?? '').slice(0, 64)}".`, 'feature');
  return publicAnswer({ type: 'application/json', body: JSON.stringify(body) }, request);
}

/** Languages that a browser asks for, the dearest first. */
function wished(header: string | null): readonly string[] {
  return (header ?? '')
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [language = '', ...parameters] = part.trim().split(';');
      const q = parameters
        .find((each) => each.trim().startsWith('q='))
        ?.trim()
        .slice(2);
      return { language: language.trim(), weight: q === undefined ? 1 : Number(q) || 0 };
    })
    .filter(({ weight }) => weight > 0)
    .sort((one, other) => other.weight - one.weight)
    .map(({ language }) => language);
}

type Spoken = { readonly locale: string; readonly isChosen: boolean };

/** The language that an address names, else the first that the browser asks for and there is. */
function languageOf(request: Request, { locales, locale: usual }: Site): Spoken {
  const known = (name: string): string | undefined =>
    [name, name.split('-')[0] ?? ''].find((each) => locales.has(each)) ??
    [...locales.keys()].find((each) => each.toLowerCase() === name.toLowerCase());
  const named = known(new URL(request.url).searchParams.get('lang') ?? '');
  if (named !== undefined) return { locale: named, isChosen: true };
  const found = wished(request.headers.get('accept-language')).flatMap((name) => known(name) ?? []);
  return { locale: found[0] ?? usual, isChosen: false };
}

/** Where it was asked for, as its readers see it. */
function originOf(request: Request): string {
  const { host, origin } = urlOf(request);
  return request.headers.get('x-forwarded-proto') === 'https' ? `https://${host}` : origin;
}

export function statusRoutes(siteNow: (locale?: string) => Site): StatusRoutes {
  return {
    handle(path, request) {
      if (path === '/status/') return new Response(null, { status: 308, headers: { location: '../status' } });
      if (path === pathOf('banner', 'served'))
        return bannerAnswer({ ...siteNow(), origin: originOf(request) }, request);
      const place = placeAt(path);
      if (place === null) return null;
      const usual = siteNow();
      const isPage =
        place === 'home' || place === 'history' || (typeof place === 'object' && 'incident' in place);
      const { locale, isChosen } = isPage
        ? languageOf(request, usual)
        : { locale: usual.locale, isChosen: false };
      const spoken = locale === usual.locale ? usual : siteNow(locale);
      const site: Site = { ...spoken, isChosen, origin: originOf(request) };
      const file = siteFile(place, site);
      if (file === null)
        return isPage && (request.headers.get('accept') ?? '').includes('text/html') ? nothingHere() : null;
      const answer = publicAnswer(file, request);
      if (isPage) {
        answer.headers.set('content-security-policy', securityPolicy(site));
        answer.headers.set('content-language', locale);
        if (!isChosen && usual.locales.size > 1) answer.headers.set('vary', 'accept-language');
      }
      return answer;
    },
  };
}
