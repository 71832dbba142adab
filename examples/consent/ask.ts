/**
 * Asks a question through Breakwater with the official client, and asks the user before another model answers.
 *
 *   bun examples/consent/ask.ts http://127.0.0.1:4100 contract-review "Is clause 4 usual?"
 */
import { createInterface } from 'node:readline/promises';

import OpenAI from 'openai';

export type Offer = {
  readonly target: string;
  readonly company: string | null;
  readonly region: string | null;
  readonly retention: string;
  readonly token: string;
};

/** The offer the user takes; null when they would rather wait. `sentence` can be shown as it is. */
export type Choose = (sentence: string, offers: readonly Offer[]) => Promise<Offer | null>;

export type Asked = { readonly feature: string; readonly question: string; readonly user: string };

/** The answer; null when the user did not agree. */
export async function ask(client: OpenAI, asked: Asked, choose: Choose): Promise<string | null> {
  const send = async (consent: Record<string, string>): Promise<string> => {
    const answer = await client.chat.completions.create(
      { model: asked.feature, messages: [{ role: 'user', content: asked.question }] },
      { headers: { 'x-breakwater-user': asked.user, ...consent } },
    );
    return answer.choices[0]?.message.content ?? '';
  };
  try {
    return await send({});
  } catch (error) {
    if (!(error instanceof OpenAI.APIError) || error.code !== 'fallback_consent_required') throw error;
    const { message, offers } = error.error as { message: string; offers: readonly Offer[] };
    const taken = await choose(message, offers);
    // The same request again, with the token: it goes to the agreed target and nowhere else.
    return taken === null ? null : await send({ 'x-breakwater-consent': taken.token });
  }
}

export const describe = ({ target, company, region, retention }: Offer): string =>
  `${target} (${company ?? 'company unknown'}, region ${region ?? 'unknown'}, kept: ${retention})`;

const inTerminal: Choose = async (sentence, offers) => {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  process.stdout.write(
    `${sentence}\n${offers.map((offer, at) => `  ${at + 1}: ${describe(offer)}\n`).join('')}`,
  );
  const chosen = Number(await terminal.question('Which one? (Enter: none) '));
  terminal.close();
  return offers[chosen - 1] ?? null;
};

if (import.meta.main) {
  const [url = 'http://127.0.0.1:4100', feature = 'contract-review', question = 'Hello'] =
    process.argv.slice(2);
  const client = new OpenAI({ apiKey: 'any', baseURL: `${url}/v1` });
  const answer = await ask(client, { feature, question, user: 'u-1' }, inTerminal);
  process.stdout.write(`${answer ?? 'Not sent: you did not agree.'}\n`);
}
