/** What is planned, for calendars: iCalendar (RFC 5545), with lines folded at 75 octets as it asks. */
import { momentText } from '../core/moment.ts';
import type { Planned } from '../core/status-planned.ts';
import { publicLink } from './site.ts';
import type { Site } from './site.ts';

const lineOctetsMax = 75;

const text = (value: string): string =>
  value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll(';', String.raw`\;`)
    .replaceAll(',', String.raw`\,`)
    .replaceAll(/\r?\n/g, String.raw`\n`);

/** `20260607T090000Z` */
const moment = (at: number): string => `${momentText(at).slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
const day = (at: number): string => moment(at).slice(0, 8);

function folded(line: string): string {
  const parts: string[] = [];
  let part = '';
  let octets = 0;
  for (const letter of line) {
    const size = Buffer.byteLength(letter);
    if (octets + size > lineOctetsMax) {
      parts.push(part);
      part = ' ';
      octets = 1;
    }
    part += letter;
    octets += size;
  }
  return [...parts, part].join('\r\n');
}

function eventOf(planned: Planned, site: Site): readonly string[] {
  const isDay = planned.kind === 'retirement';
  return [
    'BEGIN:VEVENT',
    `UID:${planned.id}@breakwater`,
    `DTSTAMP:${moment(site.page.generatedAt)}`,
    ...(isDay
      ? [`DTSTART;VALUE=DATE:${day(planned.from)}`, `DTEND;VALUE=DATE:${day(planned.until)}`]
      : [`DTSTART:${moment(planned.from)}`, `DTEND:${moment(planned.until)}`]),
    `SUMMARY:${text(planned.title)}`,
    `DESCRIPTION:${text(planned.text)}`,
    ...(site.settings.url === null ? [] : [`URL:${publicLink('home', site)}`]),
    `CATEGORIES:${planned.kind === 'retirement' ? 'MODEL RETIREMENT' : 'MAINTENANCE'}`,
    'TRANSP:TRANSPARENT',
    'END:VEVENT',
  ];
}

export function calendar(site: Site): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Breakwater//Status//EN',
    'CALSCALE:GREGORIAN',
    `X-WR-CALNAME:${text(site.settings.title)}`,
    ...site.page.planned.flatMap((planned) => eventOf(planned, site)),
    'END:VCALENDAR',
  ];
  return `${lines.map(folded).join('\r\n')}\r\n`;
}
