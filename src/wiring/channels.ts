/** Puts the notifier on its legs: what there is to tell, how it is sent, and a round every second. */
import { bulletinOf } from '../notify/bulletin-of.ts';
import { createNotifier } from '../notify/notifier.ts';
import type { NotifierDependencies } from '../notify/notifier.ts';
import { send } from '../notify/send.ts';
import { replayDelivery, testChannel } from '../notify/verbs.ts';
import type { ChannelDependencies } from '../notify/verbs.ts';
import type { Engine } from '../engine.ts';
import type { AdminDependencies } from '../http/admin-dependencies.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';

export type ChannelDesk = {
  readonly admin: AdminDependencies['channels'];
  readonly start: () => void;
  readonly stop: () => Promise<void>;
};

const roundMs = 1_000;
/** How long a stop waits for attempts that are under way; what is not over is tried again after the next start. */
const stopMs = 3_000;

/** What log and metrics are told of deliveries. */
function tellersOf({ metrics }: Engine, log: Log): Pick<NotifierDependencies, 'onGone' | 'onDelivery'> {
  return {
    onGone: (channel) => {
      metrics.set('breakwater_channel_gone', { channel }, 1);
      log('warn', {
        event: 'channel',
        channel,
        words: `It answered 410 and is told nothing any more. Mend it, then: breakwater channel test ${channel}`,
      });
    },
    onDelivery: (delivery) => {
      if (delivery.state === 'delivered')
        metrics.set('breakwater_channel_gone', { channel: delivery.channel }, 0);
      metrics.count('breakwater_deliveries_total', {
        channel: delivery.channel,
        result: delivery.state === 'pending' ? 'failed' : delivery.state,
      });
      if (delivery.state !== 'delivered')
        log('warn', {
          event: 'delivery',
          id: delivery.id,
          channel: delivery.channel,
          state: delivery.state,
          attempts: delivery.attempts,
          words: delivery.words ?? '',
        });
    },
  };
}

export function createChannelDesk(
  engine: Engine,
  store: Store,
  log: Log,
  answerPage: (step: string) => string,
): ChannelDesk {
  const { clock, state } = engine;
  const channels: ChannelDependencies['channels'] = () => state.snapshot.channels;
  const control = engine.control(store);
  const notifier = createNotifier({
    store,
    now: clock.now,
    random: clock.random,
    newId: control.newId,
    change: engine.change,
    channels,
    bulletinOf: (change) => Promise.resolve(bulletinOf(change, answerPage)),
    send: (bulletin, channel) => {
      const { url } = state.snapshot.statusPage;
      return send(bulletin, channel, {
        now: clock.now(),
        link: url === null ? null : `${url}${bulletin.page ?? ''}`,
        source: state.snapshot.statusPage.title,
      });
    },
    ...tellersOf(engine, log),
  });
  const rounds = new Set<Promise<void>>();
  let stop = (): void => {};
  const tick = (): Promise<void> => {
    const round = notifier.round().catch((error: unknown) => {
      // A store in trouble says so elsewhere; what is to be told waits in it.
      if (!(error instanceof StoreUnavailable)) engine.onBug(error);
    });
    rounds.add(round);
    return round.finally(() => void rounds.delete(round));
  };
  const dependencies: ChannelDependencies = { ...control, channels, notifier };
  return {
    admin: {
      list: () =>
        Promise.all(
          [...channels().values()].map(async (channel) => ({
            channel,
            goneAt: await notifier.goneAt(channel.name),
          })),
        ),
      test: (name, actor) => testChannel(name, actor, dependencies),
      replay: (id, actor) => replayDelivery(id, actor, dependencies),
      deliveries: (filter) => store.listDeliveries(filter),
    },
    start: () => {
      stop = clock.every(roundMs, tick);
    },
    stop: async () => {
      stop();
      await Promise.race([Promise.all(rounds), Bun.sleep(stopMs)]);
    },
  };
}
