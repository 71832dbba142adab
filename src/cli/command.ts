/** What a command of the command line is: its words, its options, what it does, and how it ended. */
import { existsSync } from 'node:fs';
import type { ParseArgsOptionDescriptor } from 'node:util';

import type { Environment } from '../config.ts';

/** 0 done; 1 a problem was found or the work failed; 2 not understood; 3 the server cannot be reached; 4 refused. */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

export type CommandOption = ParseArgsOptionDescriptor & { readonly value?: string; readonly help: string };

export type Call = {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly environment: Environment;
  readonly json: boolean;
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
};

export type Command = {
  /** `switch off`. */
  readonly name: string;
  /** What comes after the name; empty when nothing may. */
  readonly usage: string;
  /** How many words may come after the name. */
  readonly wordsMax: number;
  readonly summary: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** What `--json` does, where it is not simply that. */
  readonly jsonHelp?: string;
  readonly run: (call: Call) => Promise<ExitCode>;
};

export function textOption(call: Call, name: string): string | null {
  const value = call.options[name];
  return typeof value === 'string' ? value : null;
}

export const usualConfig = 'breakwater.yaml';

/** The configuration that is meant: the one that is named, or the usual one where it is there; null where neither is. */
export function configPathOf(call: Call): string | null {
  const named = textOption(call, 'config') ?? call.environment.configPath;
  return named ?? (existsSync(usualConfig) ? usualConfig : null);
}

/** An option that takes a text. */
export const option = (value: string, help: string): CommandOption => ({ type: 'string', value, help });

/** Options as the query of an address, under their own names. */
export function queryOf(call: Call, names: readonly string[]): string {
  const query = new URLSearchParams();
  for (const name of names) {
    const value = textOption(call, name);
    if (value !== null) query.set(name, value);
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}

/** Says what was not understood. */
export function usageError(call: Pick<Call, 'complain' | 'json'>, message: string): ExitCode {
  call.complain(call.json ? JSON.stringify({ error: { code: 'usage', message } }) : message);
  return 2;
}

/** Of commands that change something. */
export const asOption: CommandOption = {
  type: 'string',
  value: 'NAME',
  help: 'who decides; kept in the changes',
};
