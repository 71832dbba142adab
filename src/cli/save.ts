/** Long answers into files, as they come. */
import { open } from 'node:fs/promises';

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
  const file = await open(out, 'w', 0o600);
  try {
    const reply = await callAdminText(call, path, async (piece) => {
      await file.write(piece);
    });
    return reply.ok ? null : complain(call, reply);
  } finally {
    await file.close();
  }
}
