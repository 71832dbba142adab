/** The status page and its files, with the headers that let them be cached. What they show is made elsewhere. */
import type { StatusPage } from '../core/status-page.ts';
import { statusHtml } from '../site/html.ts';
import { statusFiles, statusJson } from '../site/statuspage-json.ts';

const cacheControl = 'public, max-age=10, stale-while-revalidate=60, stale-if-error=86400';

/** Null for a path that is not of the status page. */
export type StatusRoutes = { readonly handle: (path: string, request: Request) => Response | null };

export function statusRoutes(pageNow: () => StatusPage): StatusRoutes {
  const answer = (body: string, type: string, request: Request): Response => {
    const etag = `W/"${Bun.hash(body).toString(36)}"`;
    const headers = { 'content-type': type, 'cache-control': cacheControl, etag };
    if (request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers });
    return new Response(body, { headers });
  };
  return {
    handle(path, request) {
      if (path === '/status') {
        const response = answer(statusHtml(pageNow()), 'text/html; charset=utf-8', request);
        response.headers.set('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
        return response;
      }
      const file = statusFiles.find((each) => path === `/api/v2/${each}.json`);
      if (file === undefined) return null;
      const response = answer(JSON.stringify(statusJson(pageNow(), file)), 'application/json', request);
      response.headers.set('access-control-allow-origin', '*');
      return response;
    },
  };
}
