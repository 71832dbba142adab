/** `breakwater keys …` */
import { callAdmin, items, show } from './client.ts';
import type { Json } from './client.ts';
import { asOption, textOption, usageError } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { entries, paragraph, textOf, timeOf } from './layout.ts';

/** `a, b` → its names; text says what is wrong with it. */
function namesOf(text: string): readonly string[] | string {
  const names = text.split(',').map((name) => name.trim());
  return names.includes('') ? '--features takes names with commas between them: a,b' : names;
}

function keyFrom(call: Call, name: string): Json | string {
  const features = textOption(call, 'features');
  const names = features === null ? null : namesOf(features);
  if (typeof names === 'string') return names;
  const rpm = textOption(call, 'rpm');
  if (rpm !== null && !/^[1-9]\d*$/.test(rpm)) return '--rpm takes a number of requests a minute: 600';
  const tenant = textOption(call, 'tenant');
  const dataClass = textOption(call, 'data-class-max');
  const budget = textOption(call, 'budget');
  return {
    name,
    ...(names === null ? {} : { features: names }),
    ...(tenant === null ? {} : { tenant }),
    ...(dataClass === null ? {} : { data_class_max: dataClass }),
    ...(rpm === null ? {} : { rpm: Number(rpm) }),
    ...(budget === null ? {} : { budget }),
  };
}

async function create(call: Call): Promise<ExitCode> {
  const [name] = call.words;
  if (name === undefined) return usageError(call, 'Name the key: breakwater keys create NAME');
  const body = keyFrom(call, name);
  if (typeof body === 'string') return usageError(call, body);
  return show(call, await callAdmin(call, 'POST', 'keys', body), (value) => {
    const warnings = (value['warnings'] as readonly string[]).map((warning) =>
      paragraph(`warning: ${warning}`),
    );
    return [textOf(value['id']), `Secret, shown this once: ${textOf(value['secret'])}`, ...warnings].join(
      '\n',
    );
  });
}

function keyBody(key: Json): string {
  const parts = [
    key['features'] === null ? 'all features' : (key['features'] as readonly string[]).join(', '),
    key['tenant'] === null ? '' : `tenant ${textOf(key['tenant'])}`,
    key['rpm'] === null ? '' : `${textOf(key['rpm'])} a minute`,
    key['revoked_at'] === null ? '' : `revoked ${timeOf(key['revoked_at'])}`,
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

async function list(call: Call): Promise<ExitCode> {
  return show(call, await callAdmin(call, 'GET', 'keys'), (value) => {
    const keys = items(value).map((key) => ({
      head: [textOf(key['id']), textOf(key['name'])],
      body: keyBody(key),
    }));
    return keys.length === 0
      ? 'No key was made yet. Over loopback any key is accepted until then.'
      : entries(keys);
  });
}

async function revoke(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id === undefined) return usageError(call, 'Name the key: breakwater keys revoke key_…');
  const reason = textOption(call, 'reason');
  const reply = await callAdmin(
    call,
    'POST',
    `keys/${encodeURIComponent(id)}/revoke`,
    reason === null ? {} : { reason },
  );
  return show(call, reply, () => `${id} is revoked.`);
}

export const keyCommands: readonly Command[] = [
  {
    name: 'keys create',
    usage: 'NAME',
    wordsMax: 1,
    summary: 'Make a key for a caller; the secret is shown once',
    options: {
      features: { type: 'string', value: 'a,b', help: 'only these features' },
      tenant: { type: 'string', value: 'NAME', help: 'whose requests these are' },
      'data-class-max': { type: 'string', value: 'NAME', help: 'the most sensitive class it may send' },
      rpm: { type: 'string', value: 'N', help: 'requests a minute' },
      budget: {
        type: 'string',
        value: '50usd/day',
        help: 'most it may spend in a day or a month, at list price',
      },
      as: asOption,
    },
    run: create,
  },
  {
    name: 'keys list',
    usage: '',
    wordsMax: 0,
    summary: 'Keys, without their secrets',
    options: {},
    run: list,
  },
  {
    name: 'keys revoke',
    usage: 'key_…',
    wordsMax: 1,
    summary: 'Make a key useless',
    options: {
      reason: { type: 'string', value: 'TEXT', help: 'why; kept in the changes' },
      as: asOption,
    },
    run: revoke,
  },
];
