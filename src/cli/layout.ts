/** How the command line lays out text: lines that fit a terminal, columns that line up, values as a person reads them. */
export const columnsMax = 80;
/** A last column narrower than this is not worth wrapping into. */
const columnsMin = 16;

/** A JSON value as a person reads it. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Why a target is as it is: its gate's sentence, and how its answers are not like they were. */
export function whyText(target: Readonly<Record<string, unknown>>): string {
  const { words } = target['gate'] as { readonly words: string | null };
  const warnings = (target['warnings'] ?? []) as readonly { readonly words: string }[];
  const { stale } = (target['agreement'] ?? {}) as { readonly stale?: boolean };
  const overdue = stale === true ? ['its agreement is past its review'] : [];
  return [words ?? [], ...overdue, ...warnings.map((warning) => `warning: ${warning.words}`)]
    .flat()
    .join('; ');
}

/** `2026-06-07T09:00:00.123Z` → `2026-06-07 09:00:00`; all times are UTC. */
export function timeOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 19).replace('T', ' ') : '–';
}

/** Without control characters: names come from callers and providers, and must not steer the reader's terminal. */
export function harmless(text: string): string {
  return text.replaceAll(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/g, '·');
}

/** Lines no longer than `width`, broken between words. A word that is longer than a line is left whole, to be copied. */
export function wrap(text: string, width = columnsMax): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** One paragraph; lines after the first are set in. */
export function paragraph(text: string, indent = 2): string {
  return wrap(text, columnsMax - indent).join(`\n${' '.repeat(indent)}`);
}

/** Columns as wide as their widest cell; the last one wraps below itself. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.slice(0, -1).entries())
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows
    .map((row) => {
      const lead = row
        .slice(0, -1)
        .map((cell, column) => `${cell.padEnd(widths[column] ?? 0)}  `)
        .join('');
      const room = columnsMax - lead.length;
      const last = row.at(-1) ?? '';
      const lines = room < columnsMin ? [last] : wrap(last, room);
      return `${lead}${lines.join(`\n${' '.repeat(lead.length)}`)}`.trimEnd();
    })
    .join('\n');
}

export type Entry = {
  /** Cells that line up from entry to entry. */
  readonly head: readonly string[];
  /** What is said about it, below and set in. */
  readonly body: string;
};

/** A list whose items need two lines each. */
export function entries(list: readonly Entry[]): string {
  const heads = table(list.map(({ head }) => [...head, ''])).split('\n');
  return list.map(({ body }, index) => `${heads[index] ?? ''}\n  ${paragraph(body)}`).join('\n');
}
