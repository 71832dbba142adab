/** A provider's key that lies in a file, and is replaced while the gateway runs. */
import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startHouse } from '../harness.ts';
import { message, postTo } from './wire-fixture.ts';

const usedUp = {
  type: 'error',
  error: {
    type: 'invalid_request_error',
    message: 'Your credit balance is too low to access the Anthropic API.',
  },
};

test('a key whose credit is used up, and that was replaced in its file, is taken up at once by a reload of the same configuration', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-key-'));
  const file = join(folder, 'key');
  const other = join(folder, 'other');
  writeFileSync(file, 'old\n');
  writeFileSync(other, 'other\n');
  const keys: (string | null)[] = [];
  const provider = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: ({ headers }) => {
      const key = headers.get('x-api-key');
      keys.push(key);
      if (key === 'old') return Response.json(usedUp, { status: 400, headers: { 'retry-after': '3000' } });
      return Response.json({
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude-opus-4-8',
        content: [{ type: 'text', text: 'Hello' }],
        stop_reason: 'end_turn',
        stop_sequence: null,
        usage: { input_tokens: 1, output_tokens: 1 },
      });
    },
  });
  const house = await startHouse(() => ({
    providers: {
      own: { api: 'anthropic', keys: [`file:${file}`], baseUrl: provider.url.origin },
      other: { api: 'anthropic', keys: [`file:${other}`], baseUrl: provider.url.origin },
    },
    features: { notes: { route: ['own/claude-opus-4-8', 'other/claude-opus-4-8'] } },
  }));
  try {
    const ask = (): Promise<Response> => postTo(house.url, '/v1/messages', message('notes'));
    for (let asked = 0; asked < 2; asked++) expect((await ask()).status).toBe(200);
    expect(keys).toEqual(['old', 'other', 'other']);
    const before = house.server.engine.state.snapshot.hash;
    writeFileSync(file, 'new\n');
    await house.server.reload();
    expect((await ask()).status).toBe(200);
    expect(keys).toEqual(['old', 'other', 'other', 'new']);
    expect(house.server.engine.state.snapshot.hash).toBe(before);
    const changes = await house.admin('GET', 'changes?kind=config.loaded');
    expect((changes.body['items'] as unknown[]).length).toBeLessThanOrEqual(1);
  } finally {
    await house.stop();
    await provider.stop(true);
    rmSync(folder, { recursive: true });
  }
});
