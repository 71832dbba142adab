/** `breakwater drill`: rehearses an outage against a configuration, in virtual time; no server, no network. */
import { option } from './command.ts';
import type { Command } from './command.ts';

export const drillCommands: readonly Command[] = [
  {
    name: 'drill',
    usage: 'loss-of:NAME | brownout:NAME:RATE | june-7 | FILE.yaml',
    wordsMax: 1,
    summary: 'Rehearse an outage against a configuration, in virtual time',
    options: {
      config: option('FILE', 'default breakwater.yaml; keys need not be set'),
      seed: option('N', 'chance is decided by it; default 1'),
      duration: option('TIME', 'virtual time to rehearse, such as 12h; default 1h'),
      profile: option('FILE', 'traffic and paces, as in a scenario'),
      since: option('TIME', 'learn traffic and paces from the records of the last 24h, say'),
      store: option('sqlite:PATH', 'where the records are; default as configured'),
      html: option('FILE', 'write the report as a page too'),
      alone: { type: 'boolean', help: 'without the comparison with simpler means' },
    },
    // Loaded when it is asked for: a server has no use for the simulation, which takes several megabytes.
    run: async (call) => (await import('./drill.ts')).drill(call),
  },
];
