/** The status site over HTTP: its files with the headers that let them be cached, and be read from any page. */
import { didYouMean } from '../core/nearest.ts';
import { banner } from '../site/banner.ts';
import { placeAt, siteFile } from '../site/files.ts';
import type { SiteFile } from '../site/files.ts';
import { pathOf } from '../site/site.ts';
import type { Site } from '../site/site.ts';

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
  if (request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers });
  return new Response(request.method === 'HEAD' ? null : body, { headers });
}

function refusal(status: 400 | 404, message: string, field: string): Response {
  return Response.json(
    { error: { code: status === 400 ? 'invalid' : 'not_found', message, field } },
    { status, headers: { ...open, 'cache-control': 'no-store' } },
  );
}

const bannerParameters = ['feature', 'locale'] as const;

function bannerAnswer(site: Site, request: Request): Response {
  const query = new URL(request.url).searchParams;
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

export function statusRoutes(siteNow: () => Site): StatusRoutes {
  return {
    handle(path, request) {
      if (path === '/status/') return new Response(null, { status: 308, headers: { location: '../status' } });
      if (path === pathOf('banner', 'served')) return bannerAnswer(siteNow(), request);
      const place = placeAt(path);
      if (place === null) return null;
      const site = siteNow();
      const file = siteFile(place, site);
      if (file === null) return null;
      const answer = publicAnswer(file, request);
      if (file.type.startsWith('text/html'))
        answer.headers.set('content-security-policy', securityPolicy(site));
      return answer;
    },
  };
}
