/** All commands. */
import type { Environment } from '../config.ts';
import type { Command, ExitCode } from './command.ts';
import { runOneOf } from './command-line.ts';
import type { Terminal } from './command-line.ts';
import { statusCommands } from './status-commands.ts';
import { messageCommands } from './message-commands.ts';
import { auditCommands } from './audit-commands.ts';
import { channelCommands } from './channel-commands.ts';
import { contentCommands } from './content-commands.ts';
import { drillCommands } from './drill-commands.ts';
import { gateCommands } from './gate-commands.ts';
import { holdCommands } from './hold-commands.ts';
import { incidentCommands } from './incident-commands.ts';
import { insightCommands } from './insight-commands.ts';
import { keyCommands } from './key-commands.ts';
import { playbookCommands } from './playbook-commands.ts';
import { playbookRunCommands } from './playbook-run-commands.ts';
import { queryCommands } from './query-commands.ts';
import { serverCommands } from './server-commands.ts';
import { reportCommands } from './report-commands.ts';
import { statisticsCommands } from './statistics-commands.ts';
import { switchCommands } from './switch-commands.ts';

export const commands: readonly Command[] = [
  ...serverCommands,
  ...drillCommands,
  ...switchCommands,
  ...gateCommands,
  ...queryCommands,
  ...statisticsCommands,
  ...contentCommands,
  ...reportCommands,
  ...incidentCommands,
  ...insightCommands,
  ...auditCommands,
  ...holdCommands,
  ...keyCommands,
  ...channelCommands,
  ...messageCommands,
  ...statusCommands,
  ...playbookCommands,
  ...playbookRunCommands,
];

/** Runs one command line. */
export const runCommand = (
  words: readonly string[],
  environment: Environment,
  terminal: Terminal,
): Promise<ExitCode> => runOneOf(commands, words, environment, terminal);
