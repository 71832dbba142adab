/** `breakwater status export DIR` */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

import { callAdmin, complain, show } from './client.ts';
import { usageError } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { countWords } from '../core/words.ts';

type Answer = { readonly files: readonly { readonly path: string; readonly text: string }[] };

/** A path that stays within the folder it is joined to. */
const isInside = (path: string): boolean => !/^(?:\.\.(?:\/|$)|\/)/.test(normalize(path));

async function exportTo(call: Call): Promise<ExitCode> {
  const [folder] = call.words;
  if (folder === undefined) return usageError(call, 'Name a folder: breakwater status export ./public');
  const reply = await callAdmin(call, 'GET', 'status/export');
  if (!reply.ok) return complain(call, reply);
  const { files } = reply.value as unknown as Answer;
  const paths: string[] = [];
  try {
    for (const { path, text } of files) {
      if (!isInside(path)) continue;
      const target = join(folder, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(`${target}.new`, text);
      await rename(`${target}.new`, target);
      paths.push(target);
    }
  } catch (error) {
    return complain(call, {
      ok: false,
      exit: 1,
      message: `${folder} cannot be written to (${error instanceof Error ? error.message : String(error)}).`,
      error: { code: 'not_written', folder },
    });
  }
  const value = { folder, files: paths };
  return show(
    call,
    { ok: true, value },
    () => `${countWords(paths.length, 'file')} written. Open ${join(folder, 'index.html')}`,
  );
}

export const statusCommands: readonly Command[] = [
  {
    name: 'status export',
    usage: 'DIR',
    wordsMax: 1,
    summary: 'A whole static copy of the status site, to be served elsewhere',
    options: {},
    run: exportTo,
  },
];
