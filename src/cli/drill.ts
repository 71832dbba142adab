/** What `breakwater drill` does: rehearses an outage against a configuration, in virtual time; no server, no network. */
import { existsSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parse } from 'yaml';

import type { Environment } from '../config.ts';
import { durationMs } from '../core/duration.ts';
import { instant } from '../core/ids.ts';
import { nearest } from '../core/nearest.ts';
import type { RequestRecord } from '../core/record.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { drillHtml } from '../drill/drill-html.ts';
import { drillToWire } from '../drill/drill-json.ts';
import { planDrill, strangeName } from '../drill/drill-plan.ts';
import type { Document } from '../drill/drill-plan.ts';
import { passed, runDrill } from '../drill/drill-report.ts';
import { drillText } from '../drill/drill-text.ts';
import { strategyWords } from '../drill/drill-words.ts';
import { recordedProfile } from '../drill/recorded-profile.ts';
import { simpleStrategyNames } from '../simulation/rehearse.ts';
import { openStore } from '../store/open-store.ts';
import { loadConfigFile, problemText } from '../sync/config-file.ts';
import { configPathOf, textOption, usageError, usualConfig } from './command.ts';
import type { Call, ExitCode } from './command.ts';
import { table } from './layout.ts';

/** Scenarios that come with the program. */
const shippedFolder = join(import.meta.dir, '../../examples/scenarios');
const recordsMax = 100_000;

/** Something is not as it must be, in words. */
class Unfit extends Error {}

function shippedNames(): readonly string[] {
  return readdirSync(shippedFolder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length));
}

async function readDocument(path: string): Promise<Document> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    throw new Unfit(`${path} cannot be read. Is the path right?`);
  }
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw new Unfit(
      `${path}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '').replace(/:$/, '') : 'is no YAML'}.`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Unfit(`${path} must hold keys and values, such as duration: 90m`);
  return value as Document;
}

/** The scenario that the words name, if they name a file or one that is shipped; null for `loss-of:` and `brownout:`. */
async function scenarioDocument(words: string): Promise<Document | null> {
  if (words.includes(':') && !existsSync(words)) return null;
  if (words === 'loss-of' || words === 'brownout')
    throw new Unfit(`Say what: loss-of:NAME, or brownout:NAME:RATE, such as brownout:anthropic:30%.`);
  if (/\.(?:ya?ml|json)$/.test(words)) return readDocument(words);
  const names = shippedNames();
  if (names.includes(words)) return readDocument(join(shippedFolder, `${words}.yaml`));
  const meant = nearest(words, names);
  throw new Unfit(
    `"${words}" is no scenario that comes with Breakwater${meant === null ? '.' : `; did you mean "${meant}"?`} There are: ${names.join(', ')}, and loss-of:NAME, brownout:NAME:RATE, or a file that ends in .yaml.`,
  );
}

/** Keys are not needed to rehearse: a reference that leads nowhere here is as good as one that does. */
async function snapshotOf(path: string, { secretsIfSet }: Environment): Promise<Snapshot> {
  const loaded = await loadConfigFile(path, secretsIfSet);
  if (loaded.ok) return loaded.snapshot;
  throw new Unfit(loaded.problems.map((problem) => problemText(path, problem)).join('\n'));
}

async function recordsSince(address: string, since: number): Promise<readonly RequestRecord[]> {
  const path = /^sqlite:(.+)$/s.exec(address)?.[1];
  if (path !== undefined && !existsSync(path))
    throw new Unfit(
      `There is no store at ${path}. Name it with --store, or give the traffic with --profile.`,
    );
  const opened = await openStore(address);
  if (opened.kind === 'failed') throw new Unfit(opened.message);
  const { store } = opened;
  try {
    const records: RequestRecord[] = [];
    let cursor: string | null = null;
    do {
      const from: { cursor?: string } = cursor === null ? {} : { cursor };
      const page = await store.listRecords({ since: instant(since), limit: 200, ...from });
      records.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null && records.length < recordsMax);
    return records;
  } finally {
    await store.close();
  }
}

const profileKeys = ['traffic', 'usual', 'targets', 'callersRetry'];

async function profileOf(call: Call, snapshot: Snapshot): Promise<Document> {
  const file = textOption(call, 'profile');
  const since = textOption(call, 'since');
  if (file !== null && since !== null) throw new Unfit('--profile and --since exclude each other.');
  if (file !== null) {
    const document = await readDocument(file);
    const strange = Object.keys(document).find((key) => !profileKeys.includes(key));
    if (strange !== undefined)
      throw new Unfit(
        `${file}: "${strange}" has no place in a profile; there are: ${profileKeys.join(', ')}.`,
      );
    const name = strangeName(document, snapshot);
    if (name !== null) throw new Unfit(`${file}: ${sentence(name)}`);
    return document;
  }
  if (since === null) return {};
  const windowMs = durationMs(since);
  if (windowMs === null || windowMs <= 0) throw new Unfit('--since must be a duration, such as 24h.');
  const now = Date.now();
  const records = await recordsSince(textOption(call, 'store') ?? snapshot.store, now - windowMs);
  const oldest = records.at(-1);
  if (oldest === undefined)
    throw new Unfit(`There is no record of the last ${since}. Give the traffic with --profile instead.`);
  // Where there were too many to read, or the store is younger, the window is as long as what was read.
  return recordedProfile(records, Math.min(windowMs, Math.max(1_000, now - oldest.at)));
}

const sentence = (text: string): string => (/[.?]$/.test(text) ? text : `${text}.`);

async function writePage(path: string, page: string): Promise<void> {
  try {
    await writeFile(path, page);
  } catch {
    throw new Unfit(`${path} cannot be written. Is there such a folder, and may you write there?`);
  }
}

function seedOf(call: Call): number {
  const text = textOption(call, 'seed') ?? '1';
  if (!/^\d{1,9}$/.test(text)) throw new Unfit('--seed must be a whole number.');
  return Number(text);
}

async function rehearsed(call: Call, words: string): Promise<ExitCode> {
  const document = await scenarioDocument(words);
  const path = configPathOf(call) ?? usualConfig;
  const snapshot = await snapshotOf(path, call.environment);
  const planned = planDrill(
    { words, document, profile: await profileOf(call, snapshot), duration: textOption(call, 'duration') },
    snapshot,
  );
  if (!planned.ok)
    throw new Unfit(sentence(document === null ? planned.problem : `${words}: ${planned.problem}`));
  const shown = !call.json && process.stderr.isTTY;
  const report = runDrill(planned.plan, snapshot, {
    seed: seedOf(call),
    strategies: call.options['alone'] === true ? [] : simpleStrategyNames,
    onStrategy: (strategy) => {
      if (shown) process.stderr.write(`\r\u001B[KRehearsing: ${strategyWords[strategy]} …`);
    },
  });
  if (shown) process.stderr.write('\r\u001B[K');
  const html = textOption(call, 'html');
  if (html !== null) await writePage(html, drillHtml(report));
  call.print(call.json ? JSON.stringify(drillToWire(report), null, 2) : drillText(report, table));
  return passed(report) ? 0 : 1;
}

export async function drill(call: Call): Promise<ExitCode> {
  const [words] = call.words;
  if (words === undefined)
    return usageError(call, 'Say what to rehearse: loss-of:NAME, brownout:NAME:RATE, june-7, or FILE.yaml.');
  try {
    return await rehearsed(call, words);
  } catch (error) {
    if (error instanceof Unfit) return usageError(call, error.message);
    throw error;
  }
}
