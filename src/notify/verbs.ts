/** What a person can do about channels: try one, and send again what is dead. Both leave their audit row. */
import { carryOut, controlError, done, newChange } from '../control/verb.ts';
import type { ControlDependencies, Result } from '../control/verb.ts';
import type { Channel } from '../core/configure-channels.ts';
import { newDelivery, replayed } from '../core/delivery.ts';
import type { Delivery } from '../core/delivery.ts';
import { didYouMean } from '../core/nearest.ts';
import type { Notifier } from './notifier.ts';

export type ChannelDependencies = ControlDependencies & {
  readonly channels: () => ReadonlyMap<string, Channel>;
  readonly notifier: Notifier;
};

/** Sends a test message at once, and once; what came of it is in the delivery. */
export function testChannel(
  name: string,
  actor: string,
  dependencies: ChannelDependencies,
): Promise<Result<Delivery>> {
  return carryOut<Delivery>({ actor, subject: name }, dependencies, async () => {
    const { channels, newId, now, notifier } = dependencies;
    if (!channels().has(name)) {
      const known = [...channels().keys()];
      const remedy = didYouMean(name, known) || 'See: breakwater channel list';
      return controlError('not_found', `There is no channel "${name}".`, remedy);
    }
    const delivery = newDelivery(
      newId('dlv'),
      name,
      {
        id: newId('msg'),
        type: 'channel.test',
        at: now(),
        subject: name,
        stage: 'ends',
        severity: 'info',
        title: 'Test of a channel',
        text: `${actor} tries whether messages of Breakwater arrive here. Nothing has happened.`,
        facts: [],
        page: null,
      },
      now(),
    );
    return done(await notifier.attempt(delivery, 'once'));
  });
}

export function replayDelivery(
  id: string,
  actor: string,
  dependencies: ChannelDependencies,
): Promise<Result<Delivery>> {
  return carryOut<Delivery>({ actor, subject: id }, dependencies, async () => {
    const { store, now } = dependencies;
    const found = await store.findDelivery(id);
    if (found === null)
      return controlError('not_found', `There is no delivery ${id}.`, 'See: breakwater channel deliveries');
    if (found.state === 'pending')
      return controlError('conflict', `${id} is still being tried.`, 'Wait for its next attempt.');
    const again = replayed(found, now());
    const change = newChange(
      {
        kind: 'delivery.replayed',
        actor,
        subject: id,
        reason: null,
        before: found.state,
        after: { channel: found.channel, message: found.bulletin.id },
      },
      dependencies,
    );
    await store.saveDelivery(again, change);
    return done(again);
  });
}
