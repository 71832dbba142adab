/**
 * Every number that the gates are judged by, measured. `npm run bench:gates` prints them and writes
 * `bench/results/gates.md` and the plots in `docs/pictures/`; `-- --quick` runs a tenth of it and writes nothing;
 * `-- --only return,scenarios` measures these sections and leaves the others of the file as they were; `-- --only busy`
 * adds months at 10 and 50 requests a second (half an hour), which nothing else runs.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { GateCost } from './gate-state.ts';
import { contenders, ourGate } from './gates/contenders.ts';
import { median } from './figures.ts';
import { delayTable } from './gates/delay.ts';
import { blips, bursts, poison } from './gates/noise.ts';
import { chart } from './gates/plot.ts';
import { comparison, flapping, incidents, thinOutage } from './gates/recovery.ts';
import { scenarios } from './gates/scenarios.ts';
import { run, steady } from './gates/traffic.ts';
import type { Noise } from './gates/traffic.ts';

const quick = process.argv.includes('--quick');
const onlyAt = process.argv.indexOf('--only');
const only = onlyAt < 0 ? null : (process.argv[onlyAt + 1] ?? '').split(',');
const seeds = quick ? 20 : 200;
const lines: string[] = [];
const say = (line = ''): void => {
  lines.push(line);
  console.log(line);
};
const table = (heads: readonly string[], rows: readonly (readonly (string | number)[])[]): void => {
  say(`| ${heads.join(' | ')} |`);
  say(`| ${heads.map(() => '---').join(' | ')} |`);
  for (const row of rows) say(`| ${row.join(' | ')} |`);
  say();
};
const percent = (share: number, digits = 2): string => `${(share * 100).toFixed(digits)} %`;
const seconds = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : 'never');
const seeded = <T>(count: number, make: (seed: number) => T): T[] =>
  Array.from({ length: count }, (_, seed) => make(seed + 1));
const verdict = (ok: boolean): string => (ok ? 'holds' : '**missed**');

const days = quick ? 3 : 30;
type Quiet = {
  readonly name: string;
  readonly most: number;
  readonly make: (perSecond: number, seed: number) => Noise;
};
const quiets: readonly Quiet[] = [
  ...[0.001, 0.005, 0.01, 0.02].map((rate): Quiet => ({
    name: `independent, ${percent(rate, 1)}`,
    most: 1,
    make: () => steady(rate),
  })),
  { name: 'blips of 3–10 s at 50 %, three a day', most: 2, make: (_r, seed) => blips(0.005, days, seed) },
  { name: 'bursts of 2–20, none over 10 s', most: 1, make: (r, seed) => bursts(0.005, r, 10, seed) },
  { name: 'bursts of 2–20, however long', most: 1, make: (r, seed) => bursts(0.005, r, null, seed) },
  { name: 'one poisonous caller of ten', most: 0, make: () => poison(0.005) },
];

function quietMonths(title: string, rates: readonly (readonly [number, number])[]): void {
  say(`## ${title}`);
  say();
  table(
    ['noise', 'requests/s', 'runs', 'ejections, median', 'worst', 'sheds, median', 'second attempts', ''],
    rates.flatMap(([perSecond, runs]) =>
      quiets.map(({ name, most, make }) => {
        const all = seeded(runs, (seed) => {
          const gate = ourGate();
          const { failedThere, requests } = run(gate, {
            perSecond,
            untilMs: days * 86_400_000,
            seed,
            noise: make(perSecond, seed),
          });
          return { ejections: gate.ejections(), sheds: gate.sheds(), share: failedThere / requests };
        });
        const ejections = all.map((each) => each.ejections);
        console.error(`${name} at ${perSecond}/s: ${ejections.join(', ')}`);
        return [
          name,
          perSecond,
          runs,
          median(ejections),
          Math.max(...ejections),
          median(all.map((each) => each.sheds)),
          percent(median(all.map((each) => each.share))),
          verdict(median(ejections) <= most),
        ];
      }),
    ),
  );
}

const root = join(import.meta.dir, '..');
const pictures = join(root, 'docs/pictures');

const incidentSeeds = quick ? 3 : 11;

function howSoon(): void {
  say('## How soon it sheds');
  say();
  const delays = delayTable(seeds);
  table(
    ['requests/s', 'failing', 'reference, mean outcomes', 'ours, median', 'ratio', 'at most', 'p95', ''],
    delays.map(({ perSecond, rate, reference, ours, p95, most }) => [
      perSecond,
      percent(rate, 0),
      reference.toFixed(1),
      ours,
      (ours / reference).toFixed(2),
      most,
      p95,
      verdict(ours / reference <= most),
    ]),
  );
  if (quick) return;
  const rates = [0.1, 0.2, 0.5, 1];
  writeFileSync(
    join(pictures, 'gates-delay.svg'),
    chart(
      'Outcomes until the gate sheds',
      'requests per second',
      'outcomes since the fault began',
      rates.flatMap((rate) => {
        const rows = delays.filter((row) => row.rate === rate);
        return [
          {
            name: `${percent(rate, 0)}, ours`,
            points: rows.map((row) => [row.perSecond, row.ours] as const),
          },
          {
            name: `${percent(rate, 0)}, reference`,
            dashed: true,
            points: rows.map((row) => [row.perSecond, row.reference] as const),
          },
        ];
      }),
    ),
  );
}

function thin(): void {
  say('## Thin traffic, everything fails');
  say();
  table(
    ['requests/s', 'ejected after the first failure, median s', 'worst s', 'probes', 'users that failed', ''],
    [1 / 600, 1 / 60, 0.1, 0.3, 0.45].map((perSecond) => {
      const all = seeded(seeds, (seed) => thinOutage(perSecond, seed));
      const worst = Math.max(...all.map((each) => each.seconds));
      return [
        perSecond.toPrecision(2),
        median(all.map((each) => each.seconds)).toFixed(1),
        worst.toFixed(1),
        median(all.map((each) => each.probes)),
        median(all.map((each) => each.users)),
        verdict(median(all.map((each) => each.seconds)) <= 20),
      ];
    }),
  );
}

function months(): void {
  quietMonths('Thirty days without an outage', [
    [0.02, 3],
    [0.1, 2],
    [0.5, 1],
    [2, 1],
  ]);
}

function busyMonths(): void {
  quietMonths('Thirty busy days without an outage', [
    [10, 1],
    [50, 1],
  ]);
}

function wayBack(): void {
  say('## The way back: an incident of 117 minutes');
  say();
  table(
    [
      'requests/s',
      'failing',
      'out after s',
      'back after its end, s',
      'transitions',
      'requests that met it',
      '',
    ],
    [1, 5, 20].flatMap((perSecond) =>
      [0.1, 0.3, 1].map((rate) => {
        const found = incidents(() => ourGate(), perSecond, rate, incidentSeeds);
        return [
          perSecond,
          percent(rate, 0),
          seconds(found.outSeconds),
          seconds(found.backSeconds),
          found.transitions,
          percent(found.exposed, 3),
          verdict(found.backSeconds <= 300 && found.transitions <= 2 && found.exposed <= 0.002),
        ];
      }),
    ),
  );
}

function flaps(): void {
  say('## Flapping: a minute bad, a minute good, for an hour');
  say();
  table(
    ['requests/s', 'transitions, median', 'worst', 'share of traffic to the sick target', ''],
    [1, 5, 20].map((perSecond) => {
      const all = seeded(incidentSeeds, (seed) => flapping(() => ourGate(), perSecond, seed));
      const worst = Math.max(...all.map((each) => each.transitions));
      const share = median(all.map((each) => each.share));
      return [
        perSecond,
        median(all.map((each) => each.transitions)),
        worst,
        percent(share),
        verdict(worst <= 6 && share <= 0.1),
      ];
    }),
  );
}

function besideOthers(): void {
  say('## Beside the rules common elsewhere');
  say();
  say(
    'The same traffic and the same faults: 5 requests/s, an incident of 117 minutes at three failure rates, then a day of 0.5 % background noise at 1 request/s.',
  );
  say();
  const cases = [0.1, 0.3, 1].map((rate) => ({ perSecond: 5, rate }));
  const compared = comparison(quick ? 1 : 3, cases);
  table(
    [
      'rule',
      'failing',
      'out after s',
      'errors users saw',
      'transitions',
      'back after its end, s',
      'false ejections in a day of noise',
    ],
    compared.flatMap(({ name, results }) => {
      const make = contenders.find((each) => each.name === name)?.make ?? contenders[0]!.make;
      const noisy = seeded(3, (seed) => {
        const rule = make();
        run(rule, { perSecond: 1, untilMs: 86_400_000, seed, noise: steady(0.005) });
        return rule.ejections();
      });
      return results.map(({ outSeconds, visible, transitions, backSeconds }, index) => [
        name,
        percent(cases[index]?.rate ?? 0, 0),
        seconds(outSeconds),
        visible,
        transitions,
        seconds(backSeconds),
        median(noisy),
      ]);
    }),
  );
  if (quick) return;
  writeFileSync(
    join(pictures, 'gates-comparison.svg'),
    chart(
      'Errors users saw in 117 minutes, 5 requests/s',
      'failing, %',
      'errors seen',
      compared.map(({ name, results }) => ({
        name: name.split(',')[0] ?? name,
        points: results.map(
          ({ visible }, index) => [(cases[index]?.rate ?? 1) * 100, Math.max(1, visible)] as const,
        ),
      })),
    ),
  );
}

function outages(): void {
  say('## Scenarios');
  say();
  const scenarioSeeds = quick ? 2 : 15;
  say(
    `${scenarioSeeds} seeds each, five requests a second and feature unless said, in the virtual world with the real routing, failover, limits and gates. Numbers are those of \`docs/gates.md\`.`,
  );
  say();
  const results = scenarios.map(({ play }) => play(scenarioSeeds));
  const inUnit = (value: number, unit: 's' | '%' | ''): string =>
    unit === '%'
      ? percent(value, 3)
      : unit === 's'
        ? `${seconds(value)} s`
        : String(Number(value.toFixed(3)));
  table(
    ['', 'scenario', 'right scope', 'measured', 'over the seeds', 'value', 'at most', ''],
    results.flatMap(({ number, name, right, measured }) =>
      measured.map(({ what, unit, most, how, value, holds }, index) => [
        index === 0 ? number : '',
        index === 0 ? name : '',
        index === 0 && right !== null ? `${right.runs} of ${right.of}` : '',
        what,
        how,
        inUnit(value, unit),
        unit === '%' ? percent(most, 1) : inUnit(most, unit),
        verdict(holds),
      ]),
    ),
  );
  const judged = results.flatMap(({ right }) => right ?? []);
  const rightShare =
    judged.reduce((sum, { runs }) => sum + runs, 0) / judged.reduce((sum, { of }) => sum + of, 0);
  say(`Right scope over all: ${percent(rightShare, 1)} (at least 95 %): ${verdict(rightShare >= 0.95)}.`);
  say();
}

function cost(): void {
  say('## Cost');
  say();
  const { gateBytes, allBytes, observeNs, mixedNs, attemptNs } = costOf();
  table(
    ['what', 'measured', 'at most', ''],
    [
      [
        '`observe`, a good answer, least of seven rounds',
        `${observeNs} ns`,
        '2,000 ns',
        verdict(observeNs <= 2_000),
      ],
      ['`observe`, one in 200 fails', `${mixedNs} ns`, '2,000 ns', verdict(mixedNs <= 2_000)],
      ['the state of a gate, on the heap', `${gateBytes} bytes`, '1,024 bytes', verdict(gateBytes <= 1_024)],
      ['an attempt, from admission to settlement, all of health', `${attemptNs} ns`, '', ''],
      ['all that is known of a target (below)', `${allBytes} bytes`, '', ''],
    ],
  );
  say(
    'All that is known: the gate; eight soft signals with what is usual for each; the latest 64 starts and who waits; the latest 128 outcomes of each key for attribution; five minutes of counts for people; the retry budget.',
  );
}

/** Measured in a process of its own, so that nothing else is on its heap. */
function costOf(): GateCost {
  const child = Bun.spawnSync([process.execPath, join(root, 'bench/gate-state.ts'), '--json']);
  return JSON.parse(child.stdout.toString()) as GateCost;
}

const sections = {
  delay: howSoon,
  thin,
  months,
  busy: busyMonths,
  return: wayBack,
  flapping: flaps,
  compared: besideOthers,
  scenarios: outages,
  cost,
} as const satisfies Readonly<Record<string, () => void>>;

/** A file of results as its sections, by heading; what stands before the first has none. */
function sectionsOf(text: string): Map<string, string> {
  const parts = text.split(/^(?=## )/m);
  return new Map(
    parts.map((part) => [part.startsWith('## ') ? (part.split('\n')[0] ?? '') : '', part.trimEnd()]),
  );
}

const file = join(root, 'bench/results/gates.md');
const intro = `# Gates, measured

\`npm run bench:gates\`; ${seeds} seeds a row unless said. Written by the program: do not edit.`;
if (!quick) mkdirSync(pictures, { recursive: true });
for (const [name, measure] of Object.entries(sections)) {
  if (only === null ? name === 'busy' : !only.includes(name)) continue;
  lines.length = 0;
  measure();
  if (quick) continue;
  // Read again each time: another run may measure other sections meanwhile.
  const kept = sectionsOf(readFileSync(file, 'utf8'));
  kept.set('', intro);
  for (const [heading, text] of sectionsOf(lines.join('\n'))) if (heading !== '') kept.set(heading, text);
  writeFileSync(file, `${[...kept.values()].join('\n\n')}\n`);
}
