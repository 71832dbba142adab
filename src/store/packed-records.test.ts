import { expect, test } from 'bun:test';

import { aRecord } from '../../test/record-fixture.ts';
import { Packing } from './packed-records.ts';
import { WordTable } from './words.ts';

const failing = (): Promise<void> => Promise.reject(new Error('disk full'));

test('packed records are the records again', () => {
  const packing = new Packing(new WordTable([]));
  const [one, two, three] = [aRecord(), aRecord(), aRecord()];
  packing.add(one);
  packing.add(two);
  const first = packing.take();
  packing.add(three);
  expect([first.count, packing.count]).toEqual([2, 1]);
  expect(first.records()).toEqual([one, two]);
  expect(packing.take().records()).toEqual([three]);
});

test('what a write reads is not written over while one that was given up is under way', async () => {
  const packing = new Packing(new WordTable([]));
  const record = aRecord();
  packing.add(record);
  const given = packing.take();
  const [slow, again] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const writes = [given.write(() => slow.promise), given.write(() => again.promise)];
  slow.resolve();
  await writes[0];
  for (let count = 0; count < 5; count++) {
    packing.add(aRecord());
    packing.take();
  }
  expect(given.records()).toEqual([record]);
  again.resolve();
  await writes[1];
  expect(() => given.records()).toThrow('in use again');
});

test('what is kept is not written again, and what failed is as it was', async () => {
  const packing = new Packing(new WordTable([]));
  const record = aRecord();
  packing.add(record);
  const given = packing.take();
  await given.write(failing).catch(() => {});
  expect(given.records()).toEqual([record]);
  await given.write(() => Promise.resolve());
  await given.write(failing);
});
