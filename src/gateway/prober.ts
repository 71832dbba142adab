/**
 * Sends probes where gates want them: one at a time for each target, a limited number at once, within each target's
 * hourly allowance, and nowhere that a switch or a data policy forbids.
 */
import { afterProbe, freshSpend, isAffordable, isProbeAllowed } from '../core/probing.ts';
import type { ProbeSpend } from '../core/probing.ts';
import type { TargetName } from '../core/ids.ts';
import type { Target } from '../core/target.ts';
import type { Shared } from './exchange.ts';
import { sendProbe } from './probe.ts';
import type { Probed } from './probe.ts';
import type { GatewayState } from './state.ts';
import type { Ticket } from './ticket.ts';

/** Probes under way at once, whatever the number of targets. */
export const probesAtOnceMax = 16;

export type ProberOptions = {
  readonly shared: Shared;
  readonly state: GatewayState;
  readonly onProbe: (target: Target, probed: Exclude<Probed, null>) => void;
  readonly onBug: (error: unknown) => void;
};

export class Prober {
  readonly #options: ProberOptions;
  readonly #spend = new Map<TargetName, ProbeSpend>();
  #underWay = 0;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Looks at every target; call it a few times a second. Resolves when what it sent has been answered. */
  async look(): Promise<void> {
    const { shared, state } = this.#options;
    const now = shared.clock.now();
    const sent: Promise<void>[] = [];
    for (const target of shared.board.wantingProbes()) {
      if (this.#underWay >= probesAtOnceMax) break;
      if (!isAffordable(this.#spend.get(target.name) ?? freshSpend(now), now)) continue;
      if (!isProbeAllowed(target, state.snapshot, state.switches, now)) continue;
      sent.push(this.#probe(target).catch(this.#options.onBug));
    }
    if (sent.length > 0) await Promise.all(sent);
  }

  /**
   * One probe that was ordered, where a gate or one of these switches keeps the target out. Null when it may not be sent
   * (another switch, a data policy, the hourly allowance) or could not be.
   */
  async order(target: Target, past: ReadonlySet<string>): Promise<Probed> {
    const { shared, state } = this.#options;
    const now = shared.clock.now();
    const others = state.switches.filter((entry) => !past.has(entry.id));
    if (!isAffordable(this.#spend.get(target.name) ?? freshSpend(now), now)) return null;
    if (!isProbeAllowed(target, state.snapshot, others, now)) return null;
    const ticket = shared.board.admitOrdered(target);
    return ticket === null ? null : this.#send(ticket);
  }

  async #probe(target: Target): Promise<void> {
    const ticket = this.#options.shared.board.admitProbe(target);
    if (ticket !== null) await this.#send(ticket);
  }

  async #send(ticket: Ticket): Promise<Probed> {
    const { shared, state, onProbe } = this.#options;
    const { target } = ticket;
    this.#underWay++;
    const probed = await sendProbe(ticket, shared, state).finally(() => void this.#underWay--);
    if (probed === null) return null;
    const now = shared.clock.now();
    const spend = this.#spend.get(target.name) ?? freshSpend(now);
    this.#spend.set(target.name, afterProbe(spend, probed.usd, now));
    onProbe(target, probed);
    return probed;
  }
}
