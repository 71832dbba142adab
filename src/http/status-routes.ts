/** The status page and its files. What they show is made once a second at most, never per visitor. */
import type { Instant } from '../core/ids.ts';
import { buildStatusPage } from '../core/status-page.ts';
import type { StatusPage, TargetNow } from '../core/status-page.ts';
import { viewFeature } from '../core/status.ts';
import { covers, isForEverybody, isInForce } from '../core/switches.ts';
import type { Target } from '../core/target.ts';
import type { GatewayDependencies } from '../gateway/handle.ts';
import { statusHtml } from './status-html.ts';
import { statusFiles, statusJson } from './status-json.ts';

const freshMs = 1_000;
const cacheControl = 'public, max-age=10, stale-if-error=86400';

function targetNow(target: Target, { state, board }: GatewayDependencies, now: Instant): TargetNow {
  const { health } = board.view(target).cell;
  const off = state.switches.find(
    (entry) =>
      entry.effect.kind === 'off' &&
      entry.mode === 'enforce' &&
      isInForce(entry, now) &&
      isForEverybody(entry) &&
      covers(entry.scope, target, null),
  );
  return {
    target: target.name,
    model: target.model.name,
    vendor: target.model.vendor,
    gate: health.state,
    gateSince: health.state === 'healthy' ? null : health.since,
    pausedSince: off?.createdAt ?? null,
  };
}

function pageNow(gateway: GatewayDependencies): StatusPage {
  const now = gateway.clock.now();
  const { snapshot, switches } = gateway.state;
  const standing = (target: Target): ReturnType<typeof gateway.board.standing> =>
    gateway.board.standing(target);
  const features = [...snapshot.features.values()];
  const routed = new Map(features.flatMap((feature) => feature.route).map((target) => [target.name, target]));
  return buildStatusPage(
    features.map((feature) => viewFeature(feature, snapshot, { switches, standing, now })),
    [...routed.values()].map((target) => targetNow(target, gateway, now)),
    now,
  );
}

export type StatusRoutes = { readonly handle: (path: string, request: Request) => Response | null };

/** Null for a path that is not of the status page. */
export function statusRoutes(gateway: GatewayDependencies): StatusRoutes {
  let page: StatusPage | null = null;
  let switches = gateway.state.switches;
  const fresh = (): StatusPage => {
    // What a person switched shows at once; the rest may be a second old.
    const isSwitched = switches !== gateway.state.switches;
    if (page === null || isSwitched || gateway.clock.now() - page.generatedAt >= freshMs) {
      switches = gateway.state.switches;
      page = pageNow(gateway);
    }
    return page;
  };
  const answer = (body: string, type: string, request: Request): Response => {
    const etag = `W/"${Bun.hash(body).toString(36)}"`;
    const headers = { 'content-type': type, 'cache-control': cacheControl, etag };
    if (request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers });
    return new Response(body, { headers });
  };
  return {
    handle(path, request) {
      if (path === '/status') {
        const response = answer(statusHtml(fresh()), 'text/html; charset=utf-8', request);
        response.headers.set('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
        return response;
      }
      const file = statusFiles.find((each) => path === `/api/v2/${each}.json`);
      if (file === undefined) return null;
      const response = answer(JSON.stringify(statusJson(fresh(), file)), 'application/json', request);
      response.headers.set('access-control-allow-origin', '*');
      return response;
    },
  };
}
