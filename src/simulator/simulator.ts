/**
 * Simulated providers on real sockets: they speak the vendors' formats faithfully, refuse what the vendors refuse, and
 * do wrong what they are told to. Used by the demo, by drills and by the end-to-end tests.
 */
import { answerTokensDefault } from './answer.ts';
import { CallLog } from './call-log.ts';
import type { SimulatedCall } from './call-log.ts';
import { controlPath, serveControl } from './control.ts';
import { createFaultBook } from './faults.ts';
import type { NewFaultRule } from './faults.ts';
import { ProviderSimulation } from './provider-simulation.ts';
import type { BeforeCut, SimulatedApi, SimulatedPace, SimulatedProvider } from './provider-simulation.ts';
import { listenOnWire } from './wire-server.ts';
import type { WireServer } from './wire-server.ts';

export type { SimulatedCall } from './call-log.ts';
export type { SimulatedProvider } from './provider-simulation.ts';

export type SimulatorOptions = {
  readonly host?: string;
  readonly seed: number;
  readonly providers: readonly SimulatedProvider[];
  /** Waited for before an answer is cut that has begun: its client may have to read that first. */
  readonly beforeCut?: BeforeCut;
};

export type Simulator = {
  /** What the vendor's own SDK takes. */
  baseUrl(provider: string): string;
  setFault(rule: NewFaultRule): string;
  removeFault(id: string): void;
  clearFaults(): void;
  /** The latest calls, oldest first. */
  calls(provider?: string): readonly SimulatedCall[];
  forgetCalls(): void;
  openConnections(): number;
  stop(): Promise<void>;
};

const paceDefault: SimulatedPace = { firstTokenMs: 0, perTokenMs: 0, tokens: answerTokensDefault };

/** Starts one listening port per provider. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const host = options.host ?? '127.0.0.1';
  const faults = createFaultBook(options.seed);
  const calls = new CallLog();
  const beforeCut = options.beforeCut ?? (() => Promise.resolve());
  const surroundings = { seed: options.seed, faults, calls, paceDefault, beforeCut };
  // A fault for a provider that does not exist would strike nobody, and a drill would pass by a typing error.
  const setFault = (rule: NewFaultRule): string => {
    const { provider } = rule;
    if (provider !== undefined && !provider.includes('*') && !servers.has(provider))
      throw new Error(`there is no simulated provider ${provider}`);
    return faults.set(rule);
  };
  const servers = new Map<string, { readonly server: WireServer; readonly api: SimulatedApi }>();
  const stop = async (): Promise<void> => {
    await Promise.all([...servers.values()].map(({ server }) => server.stop()));
  };
  for (const provider of options.providers) {
    const simulation = new ProviderSimulation(provider, surroundings);
    try {
      const server = await listenOnWire(host, provider.port ?? 0, (request, reply) =>
        request.path.startsWith(controlPath)
          ? serveControl(request, reply, faults, calls, setFault)
          : simulation.serve(request, reply),
      );
      servers.set(provider.id, { server, api: provider.api });
    } catch (error) {
      await stop();
      throw error;
    }
  }
  return {
    baseUrl(id) {
      const found = servers.get(id);
      if (found === undefined) throw new Error(`there is no simulated provider ${id}`);
      return `http://${host}:${found.server.port}${found.api === 'openai' || found.api === 'openai-compatible' ? '/v1' : ''}`;
    },
    setFault,
    removeFault: (id) => void faults.remove(id),
    clearFaults: () => faults.clear(),
    calls: (provider) => calls.of(provider),
    forgetCalls: () => calls.forget(),
    openConnections: () => [...servers.values()].reduce((sum, { server }) => sum + server.connections(), 0),
    stop,
  };
}
