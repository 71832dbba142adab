/** `breakwater serve` as a process of its own, to be killed. */
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dir, '../..');
const token = 'process-test';

export type ServeProcess = {
  readonly url: string;
  readonly process: Bun.Subprocess<'ignore', 'pipe', 'pipe'>;
  readonly admin: (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>;
};

/** Where a server listens, once it says so. */
export async function readyAt(stdout: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of stdout) {
    text += decoder.decode(bytes, { stream: true });
    const url = /"event":"ready","address":"([^"]+)"/.exec(text)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`the server did not start: ${text}`);
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
    stderr: 'pipe',
    env: { ...process.env, BREAKWATER_ADMIN_TOKEN: token, ...variables },
  });
  const url = await readyAt(child.stdout);
  return {
    url,
    process: child,
    admin: async (method, path, body) => {
      const answer = await fetch(`${url}/admin/v1/${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return (await answer.json()) as Record<string, unknown>;
    },
  };
}
