/** The product's users: a steady trickle of requests to every feature, half of them streamed. */
import type { World } from './world.ts';

export type Tally = {
  requests: number;
  preferred: number;
  rescued: number;
  asked: number;
  refused: number;
  failed: number;
};
export type Tallies = ReadonlyMap<string, Tally>;

export const features = ['meeting-notes', 'contract-review', 'board-papers', 'legal-hold', 'search'] as const;

const perSecond = 40;
/** Requests that may be open before new ones are skipped: the demo must not pile up. */
const openMax = 400;

function tallyOf(response: Response, text: string): keyof Tally {
  if (response.status === 428) return 'asked';
  if (response.status === 403 || response.status === 503) return 'refused';
  if (response.status !== 200 || text.includes('event: error')) return 'failed';
  return response.headers.get('x-breakwater-hop') === null ? 'preferred' : 'rescued';
}

export type Traffic = { readonly tallies: Tallies; readonly stop: () => Promise<void> };

export function startTraffic(world: World): Traffic {
  const tallies = new Map<string, Tally>(
    features.map((feature) => [
      feature,
      { requests: 0, preferred: 0, rescued: 0, asked: 0, refused: 0, failed: 0 },
    ]),
  );
  const open = new Set<Promise<void>>();
  let sent = 0;
  const send = async (feature: string, user: string, stream: boolean): Promise<void> => {
    const tally = tallies.get(feature);
    const response = await fetch(`${world.server.url}/v1/messages`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'anthropic-version': '2023-06-01',
        'x-api-key': 'demo',
        'x-breakwater-user': user,
      },
      body: JSON.stringify({
        model: feature,
        max_tokens: 60,
        stream,
        messages: [{ role: 'user', content: `Please help with item ${sent}` }],
      }),
    });
    const outcome = tallyOf(response, await response.text());
    if (tally === undefined) return;
    tally.requests++;
    tally[outcome]++;
  };
  const timer = setInterval(() => {
    if (open.size >= openMax) return;
    const feature = features[sent % features.length] ?? features[0];
    const request = send(feature, `user-${sent % 25}`, sent % 2 === 0).catch(() => {});
    sent++;
    open.add(request);
    void request.finally(() => open.delete(request));
  }, 1_000 / perSecond);
  return {
    tallies,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(open);
    },
  };
}
