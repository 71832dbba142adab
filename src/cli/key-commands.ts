/** `breakwater keys …` */
import { callAdmin, items, show, table, textOf } from './client.ts';
import type { Json } from './client.ts';
import { textOption } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';

async function create(call: Call): Promise<ExitCode> {
  const [name] = call.words;
  if (name === undefined) {
    call.complain('Name the key: breakwater keys create NAME');
    return 2;
  }
  const features = textOption(call, 'features');
  const tenant = textOption(call, 'tenant');
  const dataClass = textOption(call, 'data-class-max');
  const rpm = textOption(call, 'rpm');
  const budget = textOption(call, 'budget');
  const body: Json = {
    name,
    ...(features === null ? {} : { features: features.split(',') }),
    ...(tenant === null ? {} : { tenant }),
    ...(dataClass === null ? {} : { data_class_max: dataClass }),
    ...(rpm === null ? {} : { rpm: Number(rpm) }),
    ...(budget === null ? {} : { budget }),
  };
  return show(call, await callAdmin(call, 'POST', 'keys', body), (value) => {
    const warnings = (value['warnings'] as readonly string[])
      .map((warning) => `\nwarning: ${warning}`)
      .join('');
    return `${textOf(value['id'])}\nSecret, shown this once: ${textOf(value['secret'])}${warnings}`;
  });
}

async function list(call: Call): Promise<ExitCode> {
  return show(call, await callAdmin(call, 'GET', 'keys'), (value) =>
    table([
      ['ID', 'NAME', 'FEATURES', 'TENANT', 'REVOKED'],
      ...items(value).map((key) => [
        textOf(key['id']),
        textOf(key['name']),
        key['features'] === null ? 'all' : (key['features'] as readonly string[]).join(','),
        textOf(key['tenant']),
        textOf(key['revoked_at']),
      ]),
    ]),
  );
}

async function revoke(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  if (id === undefined) {
    call.complain('Name the key: breakwater keys revoke key_…');
    return 2;
  }
  return show(
    call,
    await callAdmin(call, 'POST', `keys/${encodeURIComponent(id)}/revoke`),
    () => `${id} is revoked`,
  );
}

export const keyCommands: readonly Command[] = [
  {
    name: 'keys create',
    usage: 'NAME',
    summary: 'Make a key for a caller; the secret is shown once',
    options: {
      features: { type: 'string', value: 'a,b', help: 'only these features' },
      tenant: { type: 'string', value: 'NAME', help: 'whose requests these are' },
      'data-class-max': { type: 'string', value: 'NAME', help: 'kept, not yet in force' },
      rpm: { type: 'string', value: 'N', help: 'requests a minute' },
      budget: { type: 'string', value: '50usd/day', help: 'kept, not yet in force' },
    },
    run: create,
  },
  { name: 'keys list', usage: '', summary: 'Keys, without their secrets', options: {}, run: list },
  { name: 'keys revoke', usage: 'key_…', summary: 'Make a key useless', options: {}, run: revoke },
];
