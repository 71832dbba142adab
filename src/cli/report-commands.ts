/** `breakwater report continuity | sla` */
import { callAdminText, complain } from './client.ts';
import { option, textOption, usageError } from './command.ts';
import type { Call, Command, CommandOption, ExitCode } from './command.ts';
import { saveText } from './save.ts';

const formats: Readonly<Record<string, string>> = {
  md: 'markdown',
  markdown: 'markdown',
  html: 'html',
  json: 'json',
};

async function report(call: Call, name: 'continuity' | 'sla'): Promise<ExitCode> {
  const asked = textOption(call, 'format') ?? (call.json ? 'json' : 'md');
  const format = formats[asked];
  if (format === undefined) return usageError(call, '--format takes md, html or json');
  const month = textOption(call, 'month');
  const query = `?format=${format}${month === null ? '' : `&month=${encodeURIComponent(month)}`}`;
  const path = `reports/${name}${query}`;
  const out = textOption(call, 'out');
  if (out !== null) return saveText(call, path, out);
  const reply = await callAdminText(call, path);
  if (!reply.ok) return complain(call, reply);
  call.print(reply.text.trimEnd());
  return 0;
}

const options: Readonly<Record<string, CommandOption>> = {
  format: option('WORD', 'md | html | json; default md'),
  out: option('FILE', 'write it there'),
};

export const reportCommands: readonly Command[] = [
  {
    name: 'report continuity',
    usage: '',
    wordsMax: 0,
    summary: 'What buyers ask: fallbacks, who may process what, losses, incidents',
    options,
    run: (call) => report(call, 'continuity'),
  },
  {
    name: 'report sla',
    usage: '',
    wordsMax: 0,
    summary: 'One month: availability, error budget, backup, promises',
    options: { ...options, month: option('YYYY-MM', 'the month; default this one') },
    run: (call) => report(call, 'sla'),
  },
];
