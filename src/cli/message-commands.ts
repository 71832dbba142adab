/** `breakwater message …` */
import { shippedLocales } from '../core/message.ts';
import { callAdmin, items, show } from './client.ts';
import type { Json } from './client.ts';
import { asOption, option, textOption, usageError } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { entries, paragraph, textOf, timeOf } from './layout.ts';

const at = (id: string, rest = ''): string => `incidents/${encodeURIComponent(id)}/messages${rest}`;

/** What a person says themselves; what is left out comes from the texts for the stage. */
function inputFrom(call: Call): Json {
  const next = textOption(call, 'next-update');
  const fields = [
    ['stage', textOption(call, 'stage')],
    ['title', textOption(call, 'title')],
    ['body', textOption(call, 'body')],
  ] as const;
  return {
    ...Object.fromEntries(fields.filter(([, value]) => value !== null)),
    ...(next === null ? {} : { next_update_at: next === 'none' ? null : next }),
  };
}

function textLines(texts: unknown): readonly string[] {
  return Object.entries((texts ?? {}) as Readonly<Record<string, Json>>).map(([locale, text]) =>
    [
      `${locale}: ${textOf(text['title'])}`,
      `  ${paragraph(textOf(text['body']))}`,
      `  ${paragraph(`For the support desk: ${textOf(text['desk'])}`)}`,
    ].join('\n'),
  );
}

const nextLine = (value: Json): string =>
  value['next_update_at'] === null
    ? 'No next word is promised.'
    : `Next word by ${timeOf(value['next_update_at'])} UTC.`;

async function preview(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id === undefined) return usageError(call, 'Name the incident: breakwater message preview inc_…');
  return show(call, await callAdmin(call, 'POST', at(id, '/preview'), inputFrom(call)), (value) => {
    const problems = value['problems'] as readonly string[];
    return [
      `Stage: ${textOf(value['stage'])}. ${nextLine(value)}`,
      ...textLines(value['texts']),
      problems.length === 0
        ? `Nothing was published. To do it: breakwater message publish ${id}`
        : `It cannot be published: ${problems.join(' ')}`,
    ].join('\n');
  });
}

async function publish(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id === undefined) return usageError(call, 'Name the incident: breakwater message publish inc_…');
  return show(call, await callAdmin(call, 'POST', at(id, '/publish'), inputFrom(call)), (value) =>
    [`Published (${textOf(value['stage'])}). ${nextLine(value)}`, ...textLines(value['texts'])].join('\n'),
  );
}

async function suppress(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  const reason = textOption(call, 'reason');
  if (id === undefined || reason === null)
    return usageError(call, 'Say which and why: breakwater message suppress inc_… --reason "…"');
  const stage = textOption(call, 'stage');
  const input = { reason, ...(stage === null ? {} : { stage }) };
  return show(
    call,
    await callAdmin(call, 'POST', at(id, '/suppress'), input),
    (value) => `Kept back (${textOf(value['stage'])}): ${textOf(value['reason'])}`,
  );
}

async function list(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id === undefined) return usageError(call, 'Name the incident: breakwater message list inc_…');
  return show(call, await callAdmin(call, 'GET', at(id)), (value) => {
    const said = items(value).map((message) => ({
      head: [
        timeOf(message['at']),
        textOf(message['stage']),
        textOf(message['state']),
        textOf(message['by']),
      ],
      body:
        message['state'] === 'published'
          ? textOf(((message['texts'] as Readonly<Record<string, Json>>)['en'] ?? {})['title'])
          : textOf(message['reason']),
    }));
    return said.length === 0 ? 'Users were told nothing yet.' : entries(said);
  });
}

const wording = {
  stage: option('STAGE', 'investigating, backup, paused, restoring or resolved; default: where it stands'),
  title: option('TEXT', 'in place of ours'),
  body: option('TEXT', 'in place of ours'),
  'next-update': option('TIME', 'when you will say more; "none" promises nothing'),
};

/** A set of texts in full, as a file to begin a translation with. Needs no server. */
function texts(call: Call): Promise<ExitCode> {
  const locale = textOption(call, 'locale') ?? 'en';
  const found = shippedLocales.get(locale);
  if (found === undefined)
    return Promise.resolve(
      usageError(call, `${locale} is not shipped. There are ${[...shippedLocales.keys()].join(', ')}.`),
    );
  call.print(call.json ? JSON.stringify(found, null, 2) : Bun.YAML.stringify(found, null, 2));
  return Promise.resolve(0);
}

export const messageCommands: readonly Command[] = [
  {
    name: 'message preview',
    usage: 'inc_…',
    wordsMax: 1,
    summary: 'What users would be told; nothing is published',
    options: wording,
    run: preview,
  },
  {
    name: 'message publish',
    usage: 'inc_…',
    wordsMax: 1,
    summary: 'Tell users',
    options: { ...wording, as: asOption },
    run: publish,
  },
  {
    name: 'message suppress',
    usage: 'inc_…',
    wordsMax: 1,
    summary: 'Keep back what would be said',
    options: {
      reason: option('TEXT', 'why; required'),
      stage: option('STAGE', 'default: where it stands'),
      as: asOption,
    },
    run: suppress,
  },
  {
    name: 'message list',
    usage: 'inc_…',
    wordsMax: 1,
    summary: 'What users were told',
    options: {},
    run: list,
  },
  {
    name: 'message texts',
    usage: '',
    wordsMax: 0,
    summary: 'All texts in a shipped language, as YAML to begin a translation with',
    options: { locale: option('NAME', 'en (default) | de') },
    run: texts,
  },
];
