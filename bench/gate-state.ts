/**
 * What gates cost: memory for each target with all that is known of it (gate, soft signals, waiting, attribution, counts),
 * and time for each attempt that is taken into account. `bun bench/gate-state.ts`
 */
import { heapSize } from 'bun:jsc';

import type { Evidence } from '../src/core/evidence.ts';
import { freshCell } from '../src/core/health-cell.ts';
import type { HealthCell } from '../src/core/health-cell.ts';
import { healthRuleOf } from '../src/core/health-rule.ts';
import { observe } from '../src/core/health.ts';
import { compile } from '../src/core/policy.ts';
import { defaultGate } from '../src/core/snapshot.ts';
import { instant } from '../src/core/ids.ts';
import type { Instant } from '../src/core/ids.ts';
import type { Snapshot } from '../src/core/snapshot.ts';
import type { Target } from '../src/core/target.ts';
import { createHealthBoard } from '../src/gateway/health-board.ts';
import type { HealthBoard } from '../src/gateway/board.ts';

const targetsMany = 2_000;
const start = Date.UTC(2026, 5, 7, 7);
let now = start;
const clock = (): Instant => instant(now);

function snapshotOf(count: number): Snapshot {
  const models = Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`m${n}`, { vendor: `v${n % 7}`, family: `f${n % 50}` }]),
  );
  const compiled = compile(
    {
      providers: { p: { api: 'openai-compatible', baseUrl: 'http://127.0.0.1:9/v1', models } },
      features: { f: { route: Object.keys(models).map((name) => `p/${name}`) } },
    },
    { hash: 'h', secrets: () => ({ kind: 'missing', words: '' }) as never },
  );
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems.slice(0, 3)));
  return compiled.snapshot;
}

const nobody = (): void => {};

function boardOf(snapshot: Snapshot): HealthBoard {
  return createHealthBoard({
    now: clock,
    random: () => 0.5,
    gates: () => snapshot.gates,
    keysKnown: () => 2,
    stallMs: () => 15_000,
    onTransition: nobody,
    onSoft: nobody,
    onNews: nobody,
    onWarning: nobody,
    onDisbelieved: nobody,
  });
}

const heard: Evidence = {
  failure: null,
  generation: 0,
  probe: false,
  callerKey: null,
  requestKey: null,
  startedAt: instant(start),
  firstTokenMs: 300,
  soft: null,
  retryAfterMs: null,
};

const tried: ReadonlySet<string> = new Set();
const answer = {
  soft: null,
  model: 'm',
  fingerprint: null,
  outputTokens: 200,
  hasCalls: false,
  isStructured: false,
} as const;

/** One good attempt, as a request makes it. */
function attempt(board: HealthBoard, target: Target, n: number): void {
  const ticket = board.admit(target, {
    triedKeys: tried,
    panic: false,
    key: 'k',
    user: null,
    request: null,
    feature: 'f',
    stream: true,
  });
  if ('kind' in ticket) return;
  now += 1;
  board.began(ticket);
  board.settle(ticket, { outcome: 'good', firstTokenMs: 300 + (n % 50), silentMs: 0, answer });
}

const heap = (): number => {
  Bun.gc(true);
  Bun.gc(true);
  return heapSize();
};

function bytesEach(): number {
  const snapshot = snapshotOf(targetsMany);
  const targets = [...snapshot.targets.values()].filter(({ provider }) => provider.id === 'p');
  const board = boardOf(snapshot);
  const [first] = targets;
  if (first !== undefined) attempt(board, first, 0);
  const before = heap();
  for (let round = 0; round < 200; round++) {
    now += 100;
    for (const target of targets) attempt(board, target, round);
  }
  const after = heap();
  // Alive until here.
  if (board.known().length < targets.length) throw new Error('targets were dropped');
  return (after - before) / targets.length;
}

function nanosecondsEach(): number {
  const snapshot = snapshotOf(10);
  const targets = [...snapshot.targets.values()].filter(({ provider }) => provider.id === 'p');
  const board = boardOf(snapshot);
  const run = (count: number): number => {
    const began = Bun.nanoseconds();
    for (let n = 0; n < count; n++) attempt(board, targets[n % targets.length] as Target, n);
    return (Bun.nanoseconds() - began) / count;
  };
  run(300_000);
  return Math.min(...Array.from({ length: 7 }, () => run(200_000)));
}

/** The rule alone: one good answer, and one that fails, taken into account. */
function observeNanoseconds(failing: number): number {
  const rule = healthRuleOf(defaultGate);
  const run = (count: number): number => {
    let cell = freshCell(rule, clock());
    const began = Bun.nanoseconds();
    for (let n = 0; n < count; n++) {
      now += 100;
      const failed = failing > 0 && n % failing === 0;
      const evidence = {
        ...heard,
        failure: failed ? 'server_error' : null,
        callerKey: `u${n % 20}`,
      } as const;
      cell = observe(cell, evidence, rule, clock(), 0.5).cell;
    }
    return (Bun.nanoseconds() - began) / count;
  };
  run(200_000);
  return Math.min(...Array.from({ length: 7 }, () => run(200_000)));
}

/** The evidence of a gate alone, as it is after some traffic. */
function cellBytes(): number {
  const rule = healthRuleOf(defaultGate);
  const cells: HealthCell[] = [];
  const before = heap();
  for (let target = 0; target < targetsMany; target++) {
    let cell = freshCell(rule, clock());
    for (let n = 0; n < 200; n++) {
      now += 10;
      cell = observe(cell, { ...heard, callerKey: null }, rule, clock(), 0.5).cell;
    }
    cells.push(cell);
  }
  const after = heap();
  return (after - before) / cells.length;
}

export type GateCost = {
  readonly gateBytes: number;
  readonly allBytes: number;
  readonly observeNs: number;
  readonly mixedNs: number;
  readonly attemptNs: number;
};

if (import.meta.main) {
  const cost: GateCost = {
    allBytes: Math.round(bytesEach()),
    gateBytes: Math.round(cellBytes()),
    observeNs: Math.round(observeNanoseconds(0)),
    mixedNs: Math.round(observeNanoseconds(200)),
    attemptNs: Math.round(nanosecondsEach()),
  };
  if (process.argv.includes('--json')) console.log(JSON.stringify(cost));
  else {
    console.log(`all that is known of a target: ${cost.allBytes} bytes`);
    console.log(`of it the evidence of its gate: ${cost.gateBytes} bytes (agreed: 1024)`);
    console.log(`observe: ${cost.observeNs} ns, with one failure in 200 ${cost.mixedNs} ns (agreed: 2000)`);
    console.log(`an attempt, from admission to settlement: ${cost.attemptNs} ns`);
  }
}
