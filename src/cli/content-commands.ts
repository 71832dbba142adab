/** `breakwater requests content | looks | policy` */
import { callAdmin, items, show } from './client.ts';
import type { Json } from './client.ts';
import { asOption, option, queryOf, textOption, usageError } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { entries, textOf, timeOf } from './layout.ts';

function bodyText(title: string, body: Json): string {
  const cut = body['cut'] === true ? `, cut after ${textOf(body['text']).length} characters` : '';
  return `${title} (${textOf(body['bytes'])} bytes${cut})\n${textOf(body['text'])}`;
}

async function content(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id === undefined || textOption(call, 'reason') === null)
    return usageError(call, 'Name a request and say why: breakwater requests content req_… --reason "…"');
  const path = `requests/${encodeURIComponent(id)}/content${queryOf(call, ['reason'])}`;
  return show(call, await callAdmin(call, 'GET', path), (value) =>
    [
      bodyText('REQUEST', value['question'] as Json),
      bodyText('ANSWER', value['answer'] as Json),
      'That you looked, and why, is in the ledger.',
    ].join('\n\n'),
  );
}

async function looks(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  const paging = queryOf(call, ['cursor', 'limit']).slice(1);
  const query = [
    id === undefined ? [] : `request=${encodeURIComponent(id)}`,
    paging === '' ? [] : paging,
  ].flat();
  const path = `content/looks${query.length === 0 ? '' : `?${query.join('&')}`}`;
  return show(call, await callAdmin(call, 'GET', path), (value) => {
    const list = items(value).map((change) => ({
      head: [
        timeOf(change['at']),
        textOf(change['actor']),
        change['kind'] === 'content.read' ? 'looked' : 'was refused',
      ],
      body: `${textOf(change['subject'])}: ${textOf(change['reason'])}`,
    }));
    const more = value['next_cursor'] === null ? '' : `\nMore: --cursor ${textOf(value['next_cursor'])}`;
    return list.length === 0 ? 'Nobody looked.' : `${entries(list)}${more}`;
  });
}

function intactWords(value: Json): string {
  const hash = textOf(value['snapshot']);
  if (value['intact'] === true)
    return `Configuration ${hash}, as it was in force: its text leads to that hash.`;
  return value['intact'] === false
    ? `Configuration ${hash}. THIS TEXT WAS EDITED: it does not lead to that hash.`
    : `Configuration ${hash}. Files of texts belonged to it, so its own text cannot be held against that hash.`;
}

async function policy(call: Call): Promise<ExitCode> {
  const [named] = call.words;
  if (named === undefined)
    return usageError(
      call,
      'Name a request, or the configuration that a record names: breakwater requests policy req_…',
    );
  const name = encodeURIComponent(named);
  const path = named.startsWith('req_') ? `requests/${name}/policy` : `config/snapshots/${name}`;
  return show(
    call,
    await callAdmin(call, 'GET', path),
    (value) => `${intactWords(value)}\n\n${textOf(value['text'])}`,
  );
}

export const contentCommands: readonly Command[] = [
  {
    name: 'requests policy',
    usage: 'req_… | HASH',
    wordsMax: 1,
    summary: 'The configuration that a request was decided by, as it was written',
    options: {},
    run: policy,
  },
  {
    name: 'requests content',
    usage: 'req_…',
    wordsMax: 1,
    summary: 'What was captured of a request; the look is written down',
    options: { reason: option('TEXT', 'why; kept in the changes'), as: asOption },
    run: content,
  },
  {
    name: 'requests looks',
    usage: '[req_…]',
    wordsMax: 1,
    summary: 'Who looked at captured content, and who was refused',
    options: {
      cursor: option('ID', 'go on after this one'),
      limit: option('N', 'how many; 1 to 200, default 50'),
    },
    run: looks,
  },
];
