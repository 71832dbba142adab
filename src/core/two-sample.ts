/**
 * Whether two sets of answers come from the same source, at a stated rate of error: the energy distance of Székely and
 * Rizzo (2004), question by question, and a permutation test. If nothing changed, it does not matter which answers were
 * given before and which after; so labels are exchanged at random within each question, and it is counted how often the
 * sets come out at least as far apart as they are. That share is exact whatever answers are like, and needs no model.
 *
 * Counting stops as soon as it is clear that nothing is unusual (Besag and Clifford 1991), so the usual test takes some
 * dozens of exchanges and only a finding takes them all.
 */
import { distance } from './canary-traits.ts';
import type { Traits } from './canary-traits.ts';

/** Answers to one question, before and after. */
export type Stratum = { readonly before: readonly Traits[]; readonly after: readonly Traits[] };

const hitsMax = 20;
export const exchangesMax = 50_000;

/** All distances between the answers to a question; those of after come last. */
type Table = {
  readonly size: number;
  readonly later: number;
  readonly cells: Float64Array;
  readonly rows: Float64Array;
};

function tableOf({ before, after }: Stratum): Table {
  const all = [...before, ...after];
  const size = all.length;
  const cells = new Float64Array(size * size);
  const rows = new Float64Array(size);
  for (const [at, one] of all.entries())
    for (const [of, other] of all.entries()) {
      const apart = distance(one, other);
      cells[at * size + of] = apart;
      rows[at] = (rows[at] ?? 0) + apart;
    }
  return { size, later: after.length, cells, rows };
}

/** The energy distance when the answers at `chosen` are those of after, weighed by how many there are. */
function energy({ size, later, cells, rows }: Table, chosen: Int32Array): number {
  const earlier = size - later;
  let [within, touched] = [0, 0];
  for (let index = 0; index < later; index++) {
    const at = chosen[index] ?? 0;
    touched += rows[at] ?? 0;
    for (let of = 0; of < later; of++) within += cells[at * size + (chosen[of] ?? 0)] ?? 0;
  }
  let total = 0;
  for (const row of rows) total += row;
  const between = touched - within;
  const rest = total - 2 * between - within;
  return (
    ((earlier * later) / size) *
    ((2 * between) / (earlier * later) - rest / (earlier * earlier) - within / (later * later))
  );
}

/** Chooses which answers are those of after, at random. */
function shuffle(order: Int32Array, count: number, random: () => number): void {
  for (let index = 0; index < count; index++) {
    const other = index + Math.floor(random() * (order.length - index));
    const kept = order[index] ?? 0;
    order[index] = order[other] ?? 0;
    order[other] = kept;
  }
}

/** The chance of sets at least as far apart when nothing changed; 1 when there is too little to say. */
export function chanceOfSame(strata: readonly Stratum[], level: number, random: () => number): number {
  const tables = strata.filter(({ before, after }) => before.length > 0 && after.length > 0).map(tableOf);
  if (tables.length === 0) return 1;
  const orders = tables.map(({ size, later }) =>
    // Those of after first, as `energy` wants them.
    Int32Array.from({ length: size }, (_, index) => (index + size - later) % size),
  );
  const apart = (): number =>
    tables.reduce((sum, table, index) => sum + energy(table, orders[index] ?? new Int32Array(0)), 0);
  // Sums that are equal but for their rounding are equal.
  const seen = apart() - 1e-9;
  const exchanges = Math.min(exchangesMax, Math.ceil(10 / level));
  let hits = 0;
  for (let done = 1; done <= exchanges; done++) {
    for (const [index, table] of tables.entries())
      shuffle(orders[index] ?? new Int32Array(0), table.later, random);
    if (apart() < seen) continue;
    hits++;
    if (hits >= hitsMax) return hits / done;
  }
  return (hits + 1) / (exchanges + 1);
}
