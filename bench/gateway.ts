/** The upstream of the benchmarks, and a gateway in front of it: whole processes, pinned to their cores. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { start } from './processes.ts';
import type { Started } from './processes.ts';

export const root = resolve(import.meta.dir, '..');
const bun = process.execPath;
const adminToken = 'bench';

export type Upstream = Pick<Started, 'process'> & { readonly url: string };

/** `gapMs` between two events of a stream; 0 sends one in each turn of its loop. */
export async function startUpstream(core: number | null, gapMs = 0): Promise<Upstream> {
  const words = [bun, join(root, 'bench/upstream.ts'), '0', String(gapMs)];
  const { process: child, ready } = await start(words, core, 'ready');
  return { process: child, url: `http://127.0.0.1:${ready['ready'] as number}` };
}

/** A folder for what a benchmark writes, empty. */
export function emptyFolder(name: string): string {
  const folder = join(root, 'node_modules', '.cache', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

export type GatewayAsked = {
  readonly folder: string;
  /** Of its files there. */
  readonly name?: string;
  readonly upstream: Upstream;
  readonly core: number | null;
  /** Of the configuration, beside one provider and one feature named `bench`. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  /** Of that feature. */
  readonly feature?: Readonly<Record<string, unknown>>;
  /** A module that Bun loads before. */
  readonly preload?: string;
  readonly environment?: Readonly<Record<string, string>>;
};

export type Gateway = Pick<Started, 'process'> & { readonly url: string };

export async function startGateway(asked: GatewayAsked): Promise<Gateway> {
  const { folder, name = 'breakwater', upstream, core, configuration, feature, preload } = asked;
  const configPath = join(folder, `${name}.yaml`);
  writeFileSync(
    configPath,
    JSON.stringify({
      providers: { openai: { api: 'openai', baseUrl: `${upstream.url}/v1`, keys: ['env:BENCH_KEY'] } },
      features: { bench: { route: ['openai/gpt-5.2'], ...feature } },
      ...configuration,
    }),
  );
  const words = [
    bun,
    ...(preload === undefined ? [] : ['--preload', preload]),
    join(root, 'src/main.ts'),
    'serve',
    '--config',
    configPath,
    '--listen',
    '127.0.0.1:0',
    '--store',
    `sqlite:${join(folder, `${name}.db`)}`,
  ];
  const environment = { BENCH_KEY: 'k', BREAKWATER_ADMIN_TOKEN: adminToken, ...asked.environment };
  const { process: child, ready } = await start(words, core, 'address', environment);
  return { process: child, url: ready['address'] as string };
}

/** A key of a gateway; from then on it wants one. */
export async function keyOf({ url }: Gateway): Promise<string> {
  const made = await fetch(`${url}/admin/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}` },
    body: JSON.stringify({ name: 'bench' }),
  });
  return ((await made.json()) as { secret: string }).secret;
}
