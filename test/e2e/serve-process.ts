/** `breakwater serve` as a process of its own, to be killed. */
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dir, '../..');
const token = 'process-test';

export type ServeProcess = {
  readonly url: string;
  readonly recoveryMs: number;
  readonly process: Bun.Subprocess<'ignore', 'pipe', 'ignore'>;
  readonly ask: (method: string, path: string, body?: unknown) => Promise<Response>;
  readonly admin: (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>;
  readonly kill: () => Promise<void>;
};

/** Characters of a log that are looked through for where it listens. */
const logLengthMax = 65_536;

/** What a server says when it is ready. */
export type Ready = { readonly url: string; readonly recoveryMs: number };

/** Where a server listens, once it says so, and how long it took to recover. Its log is read on to its end: a full pipe would hold the server up. */
export function readyAt(stdout: AsyncIterable<Uint8Array>): Promise<Ready> {
  const { promise, resolve: found, reject } = Promise.withResolvers<Ready>();
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let text = '';
    for await (const bytes of stdout) {
      if (text.length >= logLengthMax) continue;
      text += decoder.decode(bytes, { stream: true });
      const [, url, ms] = /"event":"ready","address":"([^"]+)".*"recoveryMs":(\d+)/.exec(text) ?? [];
      if (url === undefined) continue;
      found({ url, recoveryMs: Number(ms) });
      text = ' '.repeat(logLengthMax);
    }
    reject(new Error(`the server did not start: ${text}`));
  };
  void read().catch(reject);
  return promise;
}

export async function serveProcess(
  configPath: string,
  store: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<ServeProcess> {
  const words = ['serve', '--config', configPath, '--listen', '127.0.0.1:0', '--store', store];
  const child = Bun.spawn([process.execPath, join(root, 'src/main.ts'), ...words], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'ignore',
    env: { ...process.env, BREAKWATER_ADMIN_TOKEN: token, ...variables },
  });
  const { url, recoveryMs } = await readyAt(child.stdout);
  const ask: ServeProcess['ask'] = (method, path, body) =>
    fetch(`${url}/admin/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    url,
    recoveryMs,
    process: child,
    ask,
    admin: async (...asked) => (await (await ask(...asked)).json()) as Record<string, unknown>,
    kill: async () => {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}
