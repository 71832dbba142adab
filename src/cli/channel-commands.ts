/** `breakwater channel …` */
import { callAdmin, complain, items, show } from './client.ts';
import type { Json } from './client.ts';
import { asOption, textOption, usageError } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { entries, table, textOf, timeOf } from './layout.ts';

async function list(call: Call): Promise<ExitCode> {
  return show(call, await callAdmin(call, 'GET', 'channels'), (value) => {
    const rows = items(value).map((channel) => [
      textOf(channel['name']),
      textOf(channel['kind']),
      channel['gone_at'] === null
        ? `${(channel['on'] as readonly string[]).join(' ')} from ${textOf(channel['at_least'])} on`
        : `nothing since ${timeOf(channel['gone_at'])} UTC, when it answered 410: mend it and send it a test`,
    ]);
    return rows.length === 0
      ? 'No channel is configured. See docs/messages.md.'
      : table([['CHANNEL', 'KIND', 'IS TOLD OF'], ...rows]);
  });
}

function outcome(delivery: Json): string {
  const words = delivery['words'] === null ? '' : `: ${textOf(delivery['words'])}`;
  const next = delivery['next_at'] === null ? '' : `, next at ${timeOf(delivery['next_at'])} UTC`;
  return `${textOf(delivery['state'])} after ${textOf(delivery['attempts'])} attempts${words}${next}`;
}

async function test(call: Call): Promise<ExitCode> {
  const [name] = call.words;
  if (name === undefined) return usageError(call, 'Name the channel: breakwater channel test ops');
  const reply = await callAdmin(call, 'POST', `channels/${encodeURIComponent(name)}/test`);
  if (!reply.ok) return complain(call, reply);
  show(call, reply, (value) =>
    value['state'] === 'delivered'
      ? `${name} took the message (${textOf(value['message'])}).`
      : `${name} did not take the message: ${textOf(value['words'])}.`,
  );
  return reply.value['state'] === 'delivered' ? 0 : 1;
}

const filters = ['channel', 'state', 'cursor', 'limit'] as const;

async function deliveries(call: Call): Promise<ExitCode> {
  const query = new URLSearchParams(
    filters.flatMap((name) => {
      const value = textOption(call, name);
      return value === null ? [] : [[name, value]];
    }),
  ).toString();
  return show(call, await callAdmin(call, 'GET', `deliveries?${query}`), (value) => {
    const shown = items(value).map((delivery) => ({
      head: [timeOf(delivery['created_at']), textOf(delivery['channel']), textOf(delivery['id'])],
      body: `${textOf(delivery['title'])} · ${outcome(delivery)}`,
    }));
    const more = value['next_cursor'] === null ? '' : `\n\nMore: --cursor ${textOf(value['next_cursor'])}`;
    return shown.length === 0 ? 'Nothing was sent.' : `${entries(shown)}${more}`;
  });
}

async function replay(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id === undefined) return usageError(call, 'Name the delivery: breakwater channel replay dlv_…');
  const reply = await callAdmin(call, 'POST', `deliveries/${encodeURIComponent(id)}/replay`);
  return show(call, reply, () => `${id} is sent again, as the same message.`);
}

export const channelCommands: readonly Command[] = [
  {
    name: 'channel list',
    usage: '',
    wordsMax: 0,
    summary: 'Who is told of what',
    options: {},
    run: list,
  },
  {
    name: 'channel test',
    usage: 'NAME',
    wordsMax: 1,
    summary: 'Send a test message now',
    options: { as: asOption },
    run: test,
  },
  {
    name: 'channel deliveries',
    usage: '',
    wordsMax: 0,
    summary: 'What was sent, and what came of it',
    options: {
      channel: { type: 'string', value: 'NAME', help: 'to this channel' },
      state: { type: 'string', value: 'STATE', help: 'pending, delivered or dead' },
      cursor: { type: 'string', value: 'ID', help: 'after this one' },
      limit: { type: 'string', value: 'N', help: 'so many' },
    },
    run: deliveries,
  },
  {
    name: 'channel replay',
    usage: 'dlv_…',
    wordsMax: 1,
    summary: 'Send what is dead again',
    options: { as: asOption },
    run: replay,
  },
];
