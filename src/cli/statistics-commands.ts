/** `breakwater requests stats | export` */
import { callAdmin, items, show } from './client.ts';
import type { Json } from './client.ts';
import { option, queryOf, textOption } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { table, textOf } from './layout.ts';
import { recordOptions } from './query-commands.ts';
import { printText, saveText } from './save.ts';

const options = {
  by: option('a,b', 'one or two of feature, target, model, tenant, failure, outcome, day …; default feature'),
  ...recordOptions,
};

const milliseconds = (times: unknown, share: string): string => textOf((times as Json)[share]);

function row(item: Json, by: readonly string[]): readonly string[] {
  const group = item['group'] as Json;
  return [
    ...by.map((name) => textOf(group[name])),
    ...['requests', 'failed', 'partial', 'refused', 'rescued'].map((name) => textOf(item[name])),
    milliseconds(item['duration_ms'], 'p50'),
    milliseconds(item['duration_ms'], 'p99'),
    item['cost_usd'] === null ? '–' : (item['cost_usd'] as number).toFixed(2),
  ];
}

async function statistics(call: Call): Promise<ExitCode> {
  const path = `requests/stats${queryOf(call, Object.keys(options))}`;
  return show(call, await callAdmin(call, 'GET', path), (value) => {
    const by = value['by'] as readonly string[];
    const list = items(value);
    if (list.length === 0) return 'No request fits.';
    const names = by.map((name) => name.toUpperCase().replace('_', ' '));
    const head = [...names, 'ALL', 'FAILED', 'CUT', 'REFUSED', 'RESCUED', 'P50 MS', 'P99 MS', 'USD'];
    const rest =
      value['cut'] === true ? ['', `Only the newest ${textOf(value['records'])} were counted.`] : [];
    return [table([head, ...list.map((item) => row(item, by))]), ...rest].join('\n');
  });
}

const exportOptions = {
  format: option('WORD', 'ndjson | csv | ocsf | cloudevents; default ndjson'),
  ...recordOptions,
};

function exportRecords(call: Call): Promise<ExitCode> {
  const out = textOption(call, 'out');
  const path = `requests/export${queryOf(call, Object.keys(exportOptions))}`;
  return out === null ? printText(call, path) : saveText(call, path, out);
}

export const statisticsCommands: readonly Command[] = [
  {
    name: 'requests stats',
    usage: '',
    wordsMax: 0,
    summary: 'Requests counted by one or two of their properties',
    options,
    run: statistics,
  },
  {
    name: 'requests export',
    usage: '',
    wordsMax: 0,
    summary: 'All records that fit',
    options: { ...exportOptions, out: option('FILE', 'write it there') },
    run: exportRecords,
  },
];
