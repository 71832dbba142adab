import { expect, test } from 'bun:test';
import { Presence } from './presence.ts';

test('ticks in time, and a little late, are no absence', () => {
  const presence = new Presence(20, 1_000);
  expect([1_020, 1_045, 1_070].map((at) => presence.tick(at))).toEqual([false, false, false]);
  expect(presence.absentMs).toBe(0);
});

test('what a tick is late adds up', () => {
  const presence = new Presence(20, 1_000);
  expect([1_320, 1_340, 1_460].map((at) => presence.tick(at))).toEqual([true, false, true]);
  expect(presence.absentMs).toBe(400);
});

test('a pause of the ticks and a clock set back are no absence', () => {
  const presence = new Presence(20, 1_000);
  presence.resume(9_000);
  expect(presence.tick(9_020)).toBe(false);
  expect(presence.tick(2_000)).toBe(false);
  expect(presence.tick(2_020)).toBe(false);
  expect(presence.absentMs).toBe(0);
});

test('what is late already counts before its tick comes, and once', () => {
  const presence = new Presence(20, 1_000);
  expect([presence.absentBy(1_030), presence.absentBy(1_620)]).toEqual([0, 600]);
  presence.tick(1_620);
  expect([presence.absentMs, presence.absentBy(1_640)]).toEqual([600, 600]);
});
