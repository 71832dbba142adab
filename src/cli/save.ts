/** Long answers into files, as they come. */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import { callAdminText, complain } from './client.ts';
import type { Call, ExitCode } from './command.ts';

/**
 * Writes an answer to a file that only its owner may read, or prints it where none is named; null when it is there, else
 * how the command ends.
 */
export async function saveText(call: Call, path: string, out: string | null): Promise<ExitCode | null> {
  if (out === null) {
    const reply = await callAdminText(call, path, async (piece) => {
      await Bun.write(Bun.stdout, piece);
    });
    return reply.ok ? null : complain(call, reply);
  }
  // Opened when there is something to write: an answer that does not come leaves what was there before.
  let file: FileHandle | null = null;
  const opened = async (): Promise<FileHandle> => (file ??= await open(out, 'w', 0o600));
  const write = async (piece: Uint8Array): Promise<void> => void (await (await opened()).write(piece));
  try {
    const reply = await callAdminText(call, path, write);
    if (!reply.ok) return complain(call, reply);
    await opened();
    return null;
  } finally {
    await (file as FileHandle | null)?.close();
  }
}
