/** The alert rules and the dashboard ask for metrics, labels and commands that exist. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { parse } from 'yaml';

import { metricTable } from '../src/telemetry/metrics.ts';

const root = resolve(import.meta.dir, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

type Rule = {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: Record<string, string>;
};
type Panel = { title: string; gridPos: { x: number; w: number }; targets: { expr: string }[] };

const alerts = (
  parse(read('examples/monitoring/alerts.yaml')) as { groups: { rules: Rule[] }[] }
).groups.flatMap(({ rules }) => rules);
const { panels } = JSON.parse(read('examples/monitoring/dashboard.json')) as { panels: Panel[] };
const questions = [
  ...alerts.map(({ alert, expr }) => ({ name: alert, expr })),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ name: title, expr }))),
];

/** The metrics of an expression, each with the labels that the braces behind it name. */
function asked(expr: string): readonly { readonly name: string; readonly labels: readonly string[] }[] {
  return [...expr.matchAll(/(breakwater_\w+)(?:\{([^}]*)\})?/g)].map(([, name = '', braces = '']) => ({
    name: name.replace(/_bucket$/, ''),
    labels: [...braces.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));
}

const labelsOf = (name: string): readonly string[] | null =>
  name in metricTable ? metricTable[name as keyof typeof metricTable].labels : null;

test.each(questions)('$name asks for what exists', ({ expr }) => {
  for (const { name, labels } of asked(expr)) {
    const known = labelsOf(name);
    expect(known, `${name} is no metric`).not.toBeNull();
    for (const label of labels) expect(known).toContain(label);
  }
  // What is grouped by, or named in words, must come from one of the metrics.
  const all = new Set(asked(expr).flatMap(({ name }) => labelsOf(name) ?? []));
  for (const [, list = ''] of expr.matchAll(/by \(([^)]*)\)/g))
    for (const label of list.split(',').map((each) => each.trim()))
      if (label !== 'le') expect([...all]).toContain(label);
});

test.each(alerts)(
  '$alert says what is wrong, what to do, and whom to wake',
  ({ expr, labels, annotations }) => {
    expect(['page', 'ticket']).toContain(labels.severity);
    expect(annotations['summary']).toMatch(/\.$/);
    expect(annotations['remedy']).toBeDefined();
    const carried = new Set([...asked(expr).flatMap(({ name }) => labelsOf(name) ?? []), 'instance']);
    for (const [, label = ''] of Object.values(annotations)
      .join(' ')
      .matchAll(/\$labels\.(\w+)/g))
      expect([...carried]).toContain(label);
  },
);

test('commands in the rules exist', () => {
  const commands = read('contract/cli.txt');
  const named = [...read('examples/monitoring/alerts.yaml').matchAll(/breakwater ([a-z]+(?: [a-z]+)?)/g)];
  expect(named.length).toBeGreaterThan(3);
  for (const [, words = ''] of named) {
    const [first = ''] = words.split(' ');
    expect(commands).toMatch(new RegExp(`^ {2}breakwater (${words}|${first})\\b`, 'm'));
  }
});

test('the guide names metrics that exist', () => {
  const named = [...read('docs/monitoring.md').matchAll(/`(breakwater_\w+)`/g)].map(([, name = '']) => name);
  expect(named.filter((name) => labelsOf(name) === null)).toEqual([]);
  expect(named.length).toBeGreaterThan(8);
});
