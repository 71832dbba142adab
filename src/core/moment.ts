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

/** `2026-06-07T09:00:00.000Z` */
export function momentText(at: number): string {
  const inDay = at - Math.floor(at / dayMs) * dayMs;
  const [hours, minutes, seconds] = [3_600_000, 60_000, 1_000].map((unit) => Math.floor(inDay / unit));
  const time = [hours ?? 0, (minutes ?? 0) % 60, (seconds ?? 0) % 60].map((part) => pad(part, 2)).join(':');
  return `${dayText(at)}T${time}.${pad(inDay % 1_000, 3)}Z`;
}
