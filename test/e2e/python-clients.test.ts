/**
 * The official Python clients, as they come: answers, streams, errors, refusals, and asking the user. Where they cannot be
 * imported the test is passed over and says how to get them; continuous integration installs them.
 */
import { afterEach, beforeEach, expect, test } from 'bun:test';

import { startHouse } from '../harness.ts';
import type { House, Json } from '../harness.ts';

const kept = 'node_modules/.cache/python';
const howToGet = `python3 -m venv ${kept} && ${kept}/bin/pip install -r test/e2e/python/requirements.txt`;

const python = [`${kept}/bin/python`, 'python3'].find((each) => {
  try {
    return Bun.spawnSync(
      [
        each,
        '-c',
        'import importlib.util as u; exit(not (u.find_spec("openai") and u.find_spec("anthropic")))',
      ],
      { stderr: 'ignore' },
    ).success;
  } catch {
    return false;
  }
});
const title =
  'the official Python clients understand answers, streams, errors and questions, and never try again';

let house: House;
beforeEach(async () => {
  house = await startHouse();
});
afterEach(() => house.stop());

type Caught = {
  readonly class: string;
  readonly status: number;
  readonly body: Json;
  readonly message: string;
};

/** Requests of a feature as they were recorded: a client that tries again by itself leaves more than one. */
async function askedOf(feature: string): Promise<readonly Json[]> {
  await house.server.engine.records.flush();
  const { body } = await house.admin('GET', `requests?feature=${feature}`);
  return body['items'] as readonly Json[];
}

test.skipIf(python === undefined)(
  python === undefined ? `${title} (not here; get them with: ${howToGet})` : title,
  async () => {
    await house.admin('POST', 'switches', {
      scope: { provider: 'anthropic', feature: 'contract' },
      effect: 'off',
      reason: 'test',
      failure_class: 'availability',
    });
    const child = Bun.spawn([python ?? '', 'test/e2e/python/clients.py', house.url], {
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [out, complaints] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    expect([complaints, out === '']).toEqual(['', false]);
    const seen = JSON.parse(out) as Record<string, string> & Record<string, Caught>;

    for (const name of ['chat', 'chat_stream', 'message', 'message_stream', 'chat_agreed', 'message_agreed'])
      expect([name, typeof seen[name] === 'string' && String(seen[name]).length > 0]).toEqual([name, true]);
    for (const name of ['chat_error', 'message_error'])
      expect(seen[name]).toMatchObject({ class: 'NotFoundError', status: 404 });
    for (const name of ['chat_denied', 'message_denied'])
      expect(seen[name]).toMatchObject({ class: 'PermissionDeniedError', status: 403 });
    expect(seen['chat_asked']).toMatchObject({ status: 428, body: { code: 'fallback_consent_required' } });
    expect(seen['message_asked']).toMatchObject({
      status: 428,
      body: { error: { details: { error_code: 'fallback_consent_required' } } },
    });
    expect(seen['chat_asked']?.message).toContain('if you agree');
    expect(seen['chat_replayed']).toMatchObject({ class: 'BadRequestError', status: 400 });

    // Two questions, two answers, one token that was used up: nobody tried again.
    expect((await askedOf('contract')).map(({ told }) => String(told)).toSorted()).toEqual([
      'asked',
      'asked',
      'header',
      'header',
      'refused',
    ]);
  },
  180_000,
);
