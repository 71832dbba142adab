/**
 * What a key may spend in a day or a month, at list price. Days and months are those of UTC, so that everybody means the
 * same ones. A call whose price is not known costs nothing here: a budget bounds what is known, and a warning says so
 * when the key is made; where the price is known and the tokens are not, they are estimated. The cost of an answer is
 * known at its end, so a budget is overrun by what was open when it ran out, and by no more.
 */
import type { Instant, KeyId } from './ids.ts';
import { dayText, momentFrom } from './moment.ts';

export type Budget = { readonly usd: number; readonly period: 'day' | 'month' };

/** What a key spent since its period began. */
export type Spent = { readonly key: KeyId; readonly periodStart: number; readonly usd: number };

const shape = /^(\d+(?:\.\d+)?)usd\/(day|month)$/;

/** `50usd/day`; null when it is no budget. */
export function budgetFrom(text: string): Budget | null {
  const match = shape.exec(text);
  if (match === null) return null;
  return { usd: Number(match[1]), period: match[2] === 'day' ? 'day' : 'month' };
}

const dayMs = 86_400_000;

const firstOf = (year: number, month: number): number =>
  momentFrom(`${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-01T00:00:00.000Z`);

/** When the period that holds an instant began and when it ends. */
export function periodAt(
  now: Instant,
  period: Budget['period'],
): { readonly start: number; readonly end: number } {
  const day = Math.floor(now / dayMs);
  if (period === 'day') return { start: day * dayMs, end: (day + 1) * dayMs };
  const [year = 0, month = 0] = dayText(now).split('-').map(Number);
  return { start: firstOf(year, month), end: month === 12 ? firstOf(year + 1, 1) : firstOf(year, month + 1) };
}
