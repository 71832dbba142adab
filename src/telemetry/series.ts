/**
 * The series of metrics, counted in the gateway's own process between requests: so counting is one look-up and one
 * addition, and the text for Prometheus is made only when it is asked for.
 */
export type MetricKind = 'counter' | 'gauge' | 'histogram';
export type Definition = {
  readonly kind: MetricKind;
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds of a histogram; seconds unless said otherwise. */
  readonly buckets?: readonly number[];
};

/** Label combinations kept per metric; what comes after them is counted under `other`. */
export const combinationsMax = 2_000;

const secondBounds = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120];

type Series = { readonly values: readonly string[]; value: number; sum: number; readonly buckets: number[] };
/** A branch for each value of a label, a level for each label: no key has to be put together to find a series. */
type Branch = { readonly branches: Map<string, Branch>; series: Series | null };

const newBranch = (): Branch => ({ branches: new Map(), series: null });

const escaped = (text: string): string =>
  text
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('"', String.raw`\"`);

function labelled(name: string, labels: readonly string[], values: readonly string[]): string {
  if (labels.length === 0) return name;
  return `${name}{${labels.map((label, index) => `${label}="${escaped(values[index] ?? '')}"`).join(',')}}`;
}

/** One metric: a number, or a histogram, for each combination of its labels' values. */
export class Family {
  readonly #name: string;
  readonly #definition: Definition;
  readonly #bounds: readonly number[];
  readonly #root = newBranch();
  readonly #series: Series[] = [];

  constructor(name: string, definition: Definition) {
    this.#name = name;
    this.#definition = definition;
    this.#bounds = definition.buckets ?? secondBounds;
    if (definition.labels.length === 0) this.#at([]);
  }

  /** The series of these label values, in the order of the labels. */
  #at(values: readonly string[]): Series {
    let branch: Branch | undefined = this.#root;
    for (const value of values) branch = branch?.branches.get(value);
    return branch?.series ?? this.#made(values);
  }

  #made(values: readonly string[]): Series {
    if (this.#series.length >= combinationsMax && values.some((value) => value !== 'other'))
      return this.#at(values.map(() => 'other'));
    let branch = this.#root;
    for (const value of values) {
      const next = branch.branches.get(value) ?? newBranch();
      branch.branches.set(value, next);
      branch = next;
    }
    const buckets = this.#definition.kind === 'histogram' ? this.#bounds.map(() => 0) : [];
    branch.series = { values: [...values], value: 0, sum: 0, buckets };
    this.#series.push(branch.series);
    return branch.series;
  }

  add(values: readonly string[], amount: number): void {
    this.#at(values).value += amount;
  }

  set(values: readonly string[], value: number): void {
    this.#at(values).value = value;
  }

  observe(values: readonly string[], seconds: number): void {
    const series = this.#at(values);
    series.value += 1;
    series.sum += seconds;
    const bucket = this.#bounds.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1;
  }

  expose(): string {
    const { kind, help, labels } = this.#definition;
    const lines = [`# HELP ${this.#name} ${help}`, `# TYPE ${this.#name} ${kind}`];
    for (const series of this.#series) {
      if (kind === 'histogram') lines.push(...this.#histogram(series));
      else lines.push(`${labelled(this.#name, labels, series.values)} ${series.value}`);
    }
    return `${lines.join('\n')}\n`;
  }

  #histogram({ values, value, sum, buckets }: Series): readonly string[] {
    const { labels } = this.#definition;
    let below = 0;
    const bucketLine = (bound: string, count: number): string =>
      `${labelled(`${this.#name}_bucket`, ['le', ...labels], [bound, ...values])} ${count}`;
    return [
      ...this.#bounds.map((bound, index) => bucketLine(String(bound), (below += buckets[index] ?? 0))),
      bucketLine('+Inf', value),
      `${labelled(`${this.#name}_sum`, labels, values)} ${sum}`,
      `${labelled(`${this.#name}_count`, labels, values)} ${value}`,
    ];
  }
}
