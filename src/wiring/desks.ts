/** The desks: what works beside the request path as long as the server runs. Opened in the order they lean on each other. */
import { expireSwitches, remindOfSwitches } from '../control/switches.ts';
import type { Reminders } from '../control/switches.ts';
import type { Engine } from '../engine.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { createApprovals } from './approvals.ts';
import type { ApprovalDesk } from './approvals.ts';
import { createCanaryDesk } from './canaries.ts';
import type { CanaryDesk } from './canaries.ts';
import { createChannelDesk } from './channels.ts';
import type { ChannelDesk } from './channels.ts';
import { createContentDesk } from './content.ts';
import type { ContentDesk } from './content.ts';
import { createFeedDesk } from './feeds.ts';
import type { FeedDesk } from './feeds.ts';
import { openGateDesk } from './gates.ts';
import type { GateDesk } from './gates.ts';
import { createIncidentDesk } from './incidents.ts';
import type { IncidentDesk } from './incidents.ts';
import type { LedgerDesk } from './ledger.ts';
import { publishDesks } from './desk-gauges.ts';
import { createMessageDesk } from './messages.ts';
import type { MessageDesk } from './messages.ts';
import { watchModels } from './model-signals.ts';
import { createPlaybookDesk } from './playbooks.ts';
import type { PlaybookDesk } from './playbooks.ts';
import type { Standby } from './standby.ts';
import { createStreamDesk } from './streams.ts';
import type { StreamDesk } from './streams.ts';
import { createStatusDesk } from './status.ts';
import type { StatusDesk } from './status.ts';

export type Desks = {
  readonly ledger: LedgerDesk;
  readonly content: ContentDesk;
  readonly gates: GateDesk;
  readonly canaries: CanaryDesk;
  readonly incidents: IncidentDesk;
  readonly feeds: FeedDesk;
  readonly messages: MessageDesk;
  readonly playbooks: PlaybookDesk;
  readonly approvals: ApprovalDesk;
  readonly channels: ChannelDesk;
  readonly status: StatusDesk;
  readonly streams: StreamDesk;
  readonly standby: Standby;
};

export type DeskSources = {
  readonly engine: Engine;
  readonly store: Store;
  readonly log: Log;
  readonly configPath: string | null;
  readonly ledger: LedgerDesk;
  readonly standby: Standby;
};

const choresMs = 1_000;

export async function openDesks(sources: DeskSources): Promise<Desks> {
  const { engine, store, log, configPath, ledger, standby } = sources;
  const content = createContentDesk(engine, store);
  const gates = await openGateDesk(engine, store, log);
  const canaries = await createCanaryDesk(engine, store);
  const incidents = await createIncidentDesk(engine, store, log);
  // What was said before may not be readable any more: that is no reason not to start.
  await watchModels(engine, store).catch(engine.onBug);
  const feeds = createFeedDesk({ engine, store, incidents, log });
  const messages = await createMessageDesk(engine, store, incidents);
  const world = { configPath, gates, incidents, messages: messages.admin, log };
  const playbooks = await createPlaybookDesk(engine, store, world);
  const approvals = createApprovals(playbooks.admin, await store.fingerprintKey());
  const channels = createChannelDesk(engine, store, log, approvals.pageOf);
  const status = await createStatusDesk(engine, store, messages, (words) =>
    log('warn', { event: 'status_copy', words }),
  );
  const streams = createStreamDesk({ engine, store, log });
  return {
    ledger,
    content,
    gates,
    canaries,
    incidents,
    feeds,
    messages,
    playbooks,
    approvals,
    channels,
    status,
    streams,
    standby,
  };
}

/** Ends them, the latest first; what one leaves unwritten another may still write. */
export async function closeDesks(desks: Desks, onBug: Engine['onBug']): Promise<void> {
  await desks.streams.stop();
  await desks.playbooks.stop();
  await desks.channels.stop();
  await desks.canaries.stop();
  await desks.gates.stop();
  await desks.status.stop().catch(onBug);
  await desks.content.stop().catch(onBug);
  await desks.ledger.stop().catch(onBug);
  await desks.standby.look();
}

/** What is to be done about once a second. */
export function startChores(desks: Desks, { engine, store, log }: DeskSources): () => void {
  const { status, incidents, messages, feeds, ledger, content, playbooks } = desks;
  let reminders: Reminders | null = null;
  const chores = async (): Promise<void> => {
    engine.capacity.tick();
    engine.publishGauges();
    publishDesks(incidents.open(), playbooks.admin.runs(), engine.metrics);
    await engine.keepPolicy();
    await status.look().catch(engine.onBug);
    await incidents.look();
    await messages.look();
    const fed = feeds.tick().catch(engine.onBug);
    for (const entry of await expireSwitches(engine.switchDependencies(store))) {
      engine.returned(entry);
      const scope = JSON.stringify(entry.scope);
      log('info', { event: 'switch', action: 'expired', id: entry.id, scope, actor: 'system' });
    }
    await fed;
    reminders = await remindOfSwitches(reminders, engine.switchDependencies(store));
  };
  return engine.clock.every(choresMs, async () => {
    desks.streams.look();
    desks.canaries.look();
    const others = [ledger.look(), content.look(), desks.standby.look()];
    await Promise.all([chores().catch((error: unknown) => engine.onBug(error)), ...others]);
  });
}
