/**
 * Moments (UTC) as text and back to days, by arithmetic alone: core has no clock, and the platform's dates bring one
 * along. It knows no time zones and no words; those are for whoever shows a moment.
 */
const dayMs = 86_400_000;

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

/** Days since the epoch → year, month, day (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
function civil(days: number): readonly [year: number, month: number, day: number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [year, month, dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1];
}

/** `2026-06-07` */
export function dayText(at: number): string {
  const [year, month, day] = civil(Math.floor(at / dayMs));
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** A day that there is, such as `2026-06-07`: a parser of dates makes 2 March of 30 February. */
export const isDay = (text: string): boolean => dayText(epochOf(text)) === text;

const minuteMs = 60_000;

function minuteText(minute: number): string {
  const inDay = minute - Math.floor((minute * minuteMs) / dayMs) * (dayMs / minuteMs);
  return `${dayText(minute * minuteMs)}T${pad(Math.floor(inDay / 60), 2)}:${pad(inDay % 60, 2)}:`;
}

/** The last minute that was written: one after the other, moments mostly lie in the same. */
let lastMinute = { minute: 0, text: minuteText(0) };

/** `2026-06-07T09:00:00.000Z` */
export function momentText(at: number): string {
  const minute = Math.floor(at / minuteMs);
  if (lastMinute.minute !== minute) lastMinute = { minute, text: minuteText(minute) };
  const inMinute = at - minute * minuteMs;
  const seconds = Math.floor(inMinute / 1_000);
  const millis = Math.floor(inMinute - seconds * 1_000);
  return `${lastMinute.text}${seconds < 10 ? '0' : ''}${seconds}.${millis < 100 ? '0' : ''}${millis < 10 ? '0' : ''}${millis}Z`;
}

/** As `momentText`; null of what has not been. */
export const timeText = (at: number | null): string | null => (at === null ? null : momentText(at));

/** Days since the epoch of a day (the same algorithms, the other way). */
function daysOf(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

const momentForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What `momentText` wrote, read again; NaN for anything else. By place: verification reads two of every record. */
export function momentFrom(text: string): number {
  if (!momentForm.test(text)) return Number.NaN;
  const part = (from: number, to: number): number => Number(text.slice(from, to));
  const minutes = (daysOf(part(0, 4), part(5, 7), part(8, 10)) * 24 + part(11, 13)) * 60 + part(14, 16);
  return minutes * minuteMs + part(17, 19) * 1_000 + part(20, 23);
}

/** `2026-06-07` (its first moment), `2026-06-07T09:00:00Z`, `2026-06-07T11:00:00.5+02:00` → milliseconds; NaN for other text. */
export function epochOf(text: string): number {
  const match =
    /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?(?:Z|([+-])(\d{2}):(\d{2})))?$/i.exec(
      text,
    );
  if (match === null) return Number.NaN;
  const [, date = '', hours = '0', minutes = '0', seconds = '0', sign, offHours = '0', offMinutes = '0'] =
    match;
  const offset = (sign === '-' ? -1 : 1) * (Number(offHours) * 60 + Number(offMinutes));
  const inDay =
    (Number(hours) * 60 + Number(minutes) - offset) * 60_000 + Math.round(Number(seconds) * 1_000);
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  return daysOf(year, month, day) * dayMs + inDay;
}
