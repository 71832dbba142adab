/** Long answers, printed or written to files as they come. */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import { callAdminText, complain } from './client.ts';
import type { Call, ExitCode } from './command.ts';

/** Prints an answer as it comes. */
export async function printText(call: Call, path: string): Promise<ExitCode> {
  const take = async (piece: Uint8Array): Promise<void> => void (await Bun.write(Bun.stdout, piece));
  const reply = await callAdminText(call, path, { name: 'standard output', take });
  return reply.ok ? 0 : complain(call, reply);
}

/** Writes an answer to a file that only its owner may read, and says so, with `behind` after it. */
export async function saveText(call: Call, path: string, out: string, behind = ''): Promise<ExitCode> {
  // Opened when there is something to write: an answer that does not come leaves what was there before.
  let file: FileHandle | null = null;
  const opened = async (): Promise<FileHandle> => (file ??= await open(out, 'w', 0o600));
  const write = async (piece: Uint8Array): Promise<void> => void (await (await opened()).write(piece));
  try {
    const reply = await callAdminText(call, path, { name: out, take: write });
    if (!reply.ok) return complain(call, reply);
    await opened();
  } finally {
    await (file as FileHandle | null)?.close();
  }
  call.print(call.json ? JSON.stringify({ out }) : `Written to ${out}.${behind}`);
  return 0;
}
