/** Made-up bulletins, deliveries and channels for the tests of what is told. */
import type { Channel } from '../src/core/configure-channels.ts';
import { newDelivery } from '../src/core/delivery.ts';
import type { Delivery } from '../src/core/delivery.ts';
import type { Bulletin } from '../src/core/bulletin.ts';
import { Secret } from '../src/core/secret.ts';
import { risingId, start } from './record-fixture.ts';

export const webhookSecret = `whsec_${Buffer.from('a secret of thirty-two bytes !!!').toString('base64')}`;

export function aBulletin(changes: Partial<Bulletin> = {}): Bulletin {
  return {
    id: risingId('msg'),
    type: 'incident.opened',
    at: start,
    subject: 'inc_1',
    stage: 'begins',
    severity: 'error',
    title: 'Opus 4.7 and 4.8 are failing <!channel> & more',
    text: 'Meeting notes works with a backup model.',
    facts: [{ name: 'Features', value: 'Meeting notes' }],
    page: '/incidents/inc_1',
    ...changes,
  };
}

export const aDelivery = (changes: Partial<Delivery> = {}): Delivery => ({
  ...newDelivery(risingId('dlv'), 'hook', aBulletin(), start),
  ...changes,
});

export function aChannel(changes: Partial<Extract<Channel, { kind: 'webhook' }>> = {}): Channel {
  return {
    name: 'hook',
    kind: 'webhook',
    url: 'https://example.com/hook',
    secrets: [new Secret(webhookSecret)],
    format: 'standard',
    wants: { on: ['*'], atLeast: 'info' },
    allowPrivate: true,
    ...changes,
  };
}
