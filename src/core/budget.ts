/**
 * What a key may spend in a day or a month, at list price. Days and months are those of UTC, so that everybody means the
 * same ones. A call whose price is not known costs nothing here: a budget bounds what is known, and a warning says so
 * when the key is made. The cost of an answer is known at its end, so a budget is overrun by what was open when it ran
 * out, and by no more.
 */
import type { Instant, KeyId } from './ids.ts';

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

type YearMonth = { readonly year: number; readonly month: number };

/** The calendar month of a day counted from 1970 (the usual algorithm of civil dates). */
function monthOf(day: number): YearMonth & { readonly dayOfMonth: number } {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * ofYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    dayOfMonth: ofYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}

const monthDaysMax = 31;

/** When the period that holds an instant began and when it ends. */
export function periodAt(
  now: Instant,
  period: Budget['period'],
): { readonly start: number; readonly end: number } {
  const day = Math.floor(now / dayMs);
  if (period === 'day') return { start: day * dayMs, end: (day + 1) * dayMs };
  const { dayOfMonth, month } = monthOf(day);
  const first = day - dayOfMonth + 1;
  let next = first + monthDaysMax;
  while (next > first && monthOf(next - 1).month !== month) next -= 1;
  return { start: first * dayMs, end: next * dayMs };
}
