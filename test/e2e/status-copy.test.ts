/** A copy of the status site, opened from disk in a browser: on a bad day, small and large, light and dark. */
import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { copyOf } from '../../src/site/files.ts';
import { aSite, aStory } from '../site-fixture.ts';
import { browserPath, lookAt, lookingMs } from './browser.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-copy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(browserPath === undefined)(
  'opens from disk, and a checker finds nothing wrong',
  async () => {
    for (const [path, text] of copyOf(aSite())) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const looked = await lookAt({
      home: `file://${folder}/index.html`,
      history: `file://${folder}/history.html`,
      incident: `file://${folder}/incidents/${aStory().id}.html`,
    });
    expect(looked).toHaveLength(12);
    for (const each of looked) expect(each).toMatchObject({ violations: [], isWide: false, complaints: [] });
  },
  lookingMs,
);
