/**
 * A small product with a page that asks its user before another model answers.
 *
 *   bun examples/consent/page.ts http://127.0.0.1:4100 contract-review
 *
 * The page talks to this server only. A token may go through the browser: it is good for one answer, for this key, this
 * feature and this user, and the key stays here.
 */
import type { Offer } from './ask.ts';

type Reply = {
  readonly answer?: string;
  readonly notice?: string;
  /** What to tell the user when there is no answer. */
  readonly sentence?: string;
  readonly offers?: readonly Offer[];
};

type Body = {
  readonly choices?: readonly { readonly message: { readonly content: string } }[];
  readonly error?: { readonly message: string };
  readonly breakwater?: { readonly offers?: readonly Offer[] };
};

/** In a product: from the session. */
const userOf = (_request: Request): string => 'u-1';

async function answer(url: string, feature: string, request: Request): Promise<Reply> {
  const { question, token } = (await request.json()) as { question: string; token: string | null };
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: 'Bearer any',
      'x-breakwater-user': userOf(request),
      ...(token === null ? {} : { 'x-breakwater-consent': token }),
    },
    body: JSON.stringify({ model: feature, messages: [{ role: 'user', content: question }] }),
  });
  const body = (await response.json()) as Body;
  const offers = body.breakwater?.offers;
  if (!response.ok)
    return {
      sentence: body.error?.message ?? 'Something went wrong.',
      ...(offers === undefined ? {} : { offers }),
    };
  const notice = response.headers.get('x-breakwater-notice');
  return {
    answer: body.choices?.[0]?.message.content ?? '',
    ...(notice === null ? {} : { notice: (JSON.parse(notice) as { text: string }).text }),
  };
}

export function servePage(url: string, feature: string, port = 0): Bun.Server<undefined> {
  return Bun.serve({
    port,
    hostname: '127.0.0.1',
    routes: {
      '/': new Response(Bun.file(`${import.meta.dir}/page.html`)),
      '/ask': { POST: async (request) => Response.json(await answer(url, feature, request)) },
    },
  });
}

if (import.meta.main) {
  const [url = 'http://127.0.0.1:4100', feature = 'contract-review'] = process.argv.slice(2);
  process.stdout.write(`${servePage(url, feature, 4200).url.href}\n`);
}
