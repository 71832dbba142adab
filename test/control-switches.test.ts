/** The verbs of switches on a real store: what is parsed, kept, put in force, and written down. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';

import {
  createSwitch,
  expireSwitches,
  releaseSwitch,
  remindEveryMs,
  remindOfSwitches,
  switchesMax,
} from '../src/control/switches.ts';
import type { SwitchDependencies } from '../src/control/switches.ts';
import type { Result } from '../src/control/verb.ts';
import { instant } from '../src/core/ids.ts';
import type { Change } from '../src/core/record.ts';
import type { Switch } from '../src/core/switches.ts';
import { StoreUnavailable } from '../src/store/store.ts';
import type { Store } from '../src/store/store.ts';
import { aSwitch, start } from './record-fixture.ts';
import { changesOf, errorOf, valueOf } from './control-fixture.ts';
import { controlOn, openInMemory } from './store-fixture.ts';

let store: Store;
let now: number;
let inForce: readonly Switch[];
let dependencies: SwitchDependencies & { publish: (list: readonly Switch[]) => void };

beforeEach(async () => {
  store = await openInMemory();
  now = start;
  inForce = [];
  dependencies = {
    ...controlOn(store, () => now),
    current: () => inForce,
    publish: (list) => void (inForce = list),
  };
});
afterEach(() => store.close());

const changes = (): Promise<readonly Change[]> => changesOf(store);
const create = (input: unknown): Promise<Result<Switch>> => createSwitch(input, 'ada', dependencies);
const off = { scope: { provider: 'anthropic' }, reason: 'elevated errors' };

/** The store as it is when its disk is gone. */
const brokenStore = (): Store =>
  new Proxy(store, {
    get: () => () => Promise.reject(new StoreUnavailable('failed', 'disk I/O error')),
  });

describe('creating a switch', () => {
  test('says what it did, with the defaults', async () => {
    const entry = valueOf(await create(off));
    expect(entry).toEqual({
      id: entry.id,
      rev: 1,
      scope: { provider: 'anthropic' },
      effect: { kind: 'off' },
      reason: 'elevated errors',
      failureClass: null,
      actor: 'ada',
      createdAt: start,
      expiresAt: instant(start + 7_200_000),
      atExpiry: 'ramp',
      inFlight: 'finish',
      mode: 'enforce',
      release: null,
    });
    expect(entry.id).toStartWith('sw_');
  });

  test('is in force and durable when it returns, with its change', async () => {
    const entry = valueOf(await create(off));
    expect(inForce).toEqual([entry]);
    expect(await store.loadSwitches()).toEqual([entry]);
    expect(await changes()).toMatchObject([
      { kind: 'switch.created', actor: 'ada', subject: entry.id, reason: 'elevated errors', before: null },
    ]);
  });

  test('is durable before it is in force', async () => {
    let stored: Promise<readonly Switch[]> | null = null;
    dependencies = { ...dependencies, publish: () => void (stored = store.loadSwitches()) };
    const entry = valueOf(await create(off));
    expect(await (stored as Promise<readonly Switch[]> | null)).toEqual([entry]);
  });

  test('two at once are both in force', async () => {
    await Promise.all([create(off), create({ ...off, scope: { family: 'claude-opus' } })]);
    expect(inForce.map(({ scope }) => scope)).toEqual([{ provider: 'anthropic' }, { family: 'claude-opus' }]);
  });

  test('takes everything that can be said', async () => {
    const entry = valueOf(
      await create({
        scope: { vendor: 'anthropic', feature: 'notes', data_class: 'internal', tenant: 'acme' },
        effect: { shed: 50 },
        reason: 'slow',
        failure_class: 'latency',
        expires_in: null,
        at_expiry: 'stay',
        in_flight: 'cancel',
        mode: 'observe',
      }),
    );
    expect(entry).toMatchObject({
      scope: { vendor: 'anthropic', feature: 'notes', data_class: 'internal', tenant: 'acme' },
      effect: { kind: 'shed', percent: 50 },
      failureClass: 'latency',
      expiresAt: null,
      atExpiry: 'stay',
      inFlight: 'cancel',
      mode: 'observe',
    });
  });

  test('what matches nothing today is accepted', async () => {
    expect(valueOf(await create({ ...off, scope: { provider: 'nobody' } })).scope).toEqual({
      provider: 'nobody',
    });
  });

  test.each([
    ['an empty scope', { ...off, scope: {} }, 'scope', /scope is empty/],
    ['no scope', { reason: 'because' }, 'scope', /scope/],
    [
      'a misspelt scope',
      { ...off, scope: { provder: 'anthropic' } },
      'scope.provder',
      /did you mean "provider"/,
    ],
    ['an empty scope value', { ...off, scope: { provider: '' } }, 'scope.provider', /must be a name/],
    ['a misspelt field', { ...off, reson: 'x' }, 'reson', /did you mean "reason"/],
    ['no reason', { scope: off.scope }, 'reason', /reason/],
    ['a blank reason', { ...off, reason: ' \n ' }, 'reason', /say why/],
    ['a long reason', { ...off, reason: 'x'.repeat(501) }, 'reason', /reason/],
    ['a strange effect', { ...off, effect: 'on' }, 'effect', /must be off, last_resort or/],
    ['too much shed', { ...off, effect: { shed: 101 } }, 'effect.shed', /must be at most 100/],
    [
      'a list for a name',
      { ...off, scope: { provider: ['a'] } },
      'scope.provider',
      /must be text, not a list/,
    ],
    ['a command to a terminal', { ...off, reason: 'a \u001B[2J b' }, 'reason', /cannot be shown/],
    ['half a character', { ...off, reason: 'a \uD800 b' }, 'reason', /cannot be shown/],
    ['no duration', { ...off, expires_in: 'soon' }, 'expires_in', /such as 2h/],
    ['no time at all', { ...off, expires_in: '0s' }, 'expires_in', /from 1s/],
    ['a time beyond the calendar', { ...off, expires_in: '99999999999d' }, 'expires_in', /to 366d/],
    ['a strange failure class', { ...off, failure_class: 'degraded' }, 'failure_class', /failure_class/],
    ['no object', 'off', null, /The body/],
  ])('refuses and writes down: %s', async (_name, input, field, words) => {
    const error = errorOf(await create(input));
    expect(error).toMatchObject({ code: 'invalid', field });
    expect(`${error.message} ${error.remedy}`).toMatch(words);
    expect(inForce).toEqual([]);
    expect(await store.loadSwitches()).toEqual([]);
    expect(await changes()).toMatchObject([
      { kind: 'write.rejected', actor: 'ada', reason: error.message, after: null },
    ]);
  });

  test('more than agreed at a time are refused', async () => {
    inForce = Array.from({ length: switchesMax }, () => aSwitch());
    expect(errorOf(await create(off))).toMatchObject({ code: 'conflict' });
    expect(inForce).toHaveLength(switchesMax);
  });

  test('is not in force when the store did not take it', async () => {
    dependencies = { ...dependencies, store: brokenStore() };
    expect(errorOf(await create(off))).toMatchObject({ code: 'unavailable' });
    expect(errorOf(await create({ ...off, scope: {} }))).toMatchObject({ code: 'invalid' });
    expect(inForce).toEqual([]);
  });

  test('a bug is not taken for the store', async () => {
    dependencies = {
      ...dependencies,
      publish: () => {
        throw new TypeError('a bug');
      },
    };
    expect(await create(off).catch((error: unknown) => error)).toBeInstanceOf(TypeError);
  });
});

describe('releasing a switch', () => {
  let entry: Switch;
  beforeEach(async () => {
    entry = valueOf(await create(off));
    now += 60_000;
  });

  const release = (
    input: unknown,
    rev: number | null = null,
    id: string = entry.id,
  ): Promise<Result<Switch>> => releaseSwitch({ id, input, rev }, 'bob', dependencies);

  test('takes it out of force, durably, with its change', async () => {
    const released = valueOf(await release({ reason: 'back to normal' }, 1));
    expect(released).toEqual({
      ...entry,
      rev: 2,
      release: { at: instant(start + 60_000), actor: 'bob', reason: 'back to normal', ramp: true },
    });
    expect(inForce).toEqual([]);
    expect(await store.loadSwitches()).toEqual([]);
    expect(await changes()).toMatchObject([
      { kind: 'switch.released', actor: 'bob', subject: entry.id, before: { rev: 1 }, after: { rev: 2 } },
      { kind: 'switch.created' },
    ]);
  });

  test('can do without a ramp', async () => {
    expect(valueOf(await release({ reason: 'a drill', ramp: false })).release?.ramp).toBe(false);
  });

  test.each([
    ['no reason', {}, null, 'invalid'],
    ['a misspelt field', { reason: 'back', rampp: true }, null, 'invalid'],
    ['an old revision', { reason: 'back' }, 7, 'precondition_failed'],
  ] as const)('refuses and writes down: %s', async (_name, input, rev, code) => {
    expect(errorOf(await release(input, rev)).code).toBe(code);
    expect(inForce).toEqual([entry]);
    expect((await changes())[0]).toMatchObject({ kind: 'write.rejected', actor: 'bob', subject: entry.id });
  });

  test('an unknown one is not found', async () => {
    expect(errorOf(await release({ reason: 'back' }, null, 'sw_none')).code).toBe('not_found');
  });

  test('twice is a conflict; of two at once one wins', async () => {
    const results = await Promise.all([release({ reason: 'back' }), release({ reason: 'back too' })]);
    expect(results.map(({ kind }) => kind).toSorted()).toEqual(['done', 'error']);
    expect(errorOf(await release({ reason: 'again' })).code).toBe('conflict');
    expect((await changes()).filter(({ kind }) => kind === 'switch.released')).toHaveLength(1);
  });
});

describe('expiry', () => {
  test('closes what is over, once, and leaves the rest', async () => {
    const entry = valueOf(await create({ ...off, expires_in: '1m' }));
    const staying = valueOf(await create({ ...off, expires_in: '1m', at_expiry: 'stay' }));
    const longer = valueOf(await create(off));
    now += 59_999;
    expect(await expireSwitches(dependencies)).toEqual([]);
    now += 1;
    const sweeps = await Promise.all([expireSwitches(dependencies), expireSwitches(dependencies)]);
    expect(sweeps.flat().map(({ id }) => id)).toEqual([entry.id]);
    expect(inForce).toEqual([staying, longer]);
    expect(await store.loadSwitches()).toEqual([staying, longer]);
    expect((await changes()).filter(({ kind }) => kind === 'switch.expired')).toMatchObject([
      { actor: 'system', subject: entry.id },
    ]);
  });
});

describe('a switch that stays beyond its time', () => {
  test('is brought to mind once a day, also by the process after this one', async () => {
    const staying = valueOf(await create({ ...off, expires_in: '1h', at_expiry: 'stay' }));
    await create({ ...off, expires_in: '1h' });
    await create({ ...off, expires_in: null, at_expiry: 'stay' });
    const reminders = async (): Promise<number> =>
      (await changes()).filter(({ kind }) => kind === 'switch.overdue').length;
    let said = await remindOfSwitches(null, dependencies);
    expect(await reminders()).toBe(0);
    now += 3_600_000;
    for (const before of [said, null]) said = await remindOfSwitches(before, dependencies);
    expect(await reminders()).toBe(1);
    expect(await changes()).toContainEqual(
      expect.objectContaining({ kind: 'switch.overdue', actor: 'system', subject: staying.id }),
    );
    now += remindEveryMs;
    for (const before of [said, null]) said = await remindOfSwitches(before, dependencies);
    expect(await reminders()).toBe(2);
    expect(inForce).toContainEqual(staying);
    await releaseSwitch({ id: staying.id, input: { reason: 'done' }, rev: null }, 'ada', dependencies);
    now += remindEveryMs;
    expect(await remindOfSwitches(said, dependencies)).toEqual(said);
    expect(await reminders()).toBe(2);
  });
});
