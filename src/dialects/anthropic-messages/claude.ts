/**
 * What a Claude version takes, by the number in its name.
 *
 * After Opus 4.6 sampling parameters, prefill and fixed thinking budgets are refused, and system messages may stand
 * between turns. A Claude whose number can not be read counts as the newest: it gets the least, which all accept. Models
 * of other vendors that speak this format are taken to know its older form.
 */
import { undatedModel } from '../../core/models.ts';
import type { ModelTraits } from '../dialect.ts';

export type ClaudeRules = {
  readonly sampling: boolean;
  readonly thinking: 'adaptive' | 'budget';
  /** Knows the effort word `xhigh`. */
  readonly extraEffort: boolean;
  /** A tool may be forced. */
  readonly forcedTool: boolean;
  /** The last message may be the assistant's, to be continued. */
  readonly prefill: boolean;
  /** System messages may stand between turns. */
  readonly systemBetweenTurns: boolean;
};

const older: ClaudeRules = {
  sampling: true,
  thinking: 'budget',
  extraEffort: false,
  forcedTool: true,
  prefill: true,
  systemBetweenTurns: false,
};
const newest: ClaudeRules = {
  sampling: false,
  thinking: 'adaptive',
  extraEffort: true,
  forcedTool: false,
  prefill: false,
  systemBetweenTurns: true,
};

/** `claude-opus-4-8`, `claude-3-5-sonnet`, `claude-sonnet-5`. */
const nameShape = /claude-(?:([a-z]+)-)?(\d{1,2})(?:[-.](\d{1,2}))?(?:-([a-z]+))?/;
const opus46 = 406;
/** Families that stopped taking a forced tool, and since when. */
const unforced: ReadonlyMap<string, number> = new Map([
  ['opus', 505],
  ['sonnet', 505],
  ['fable', 501],
]);

export function claudeRules(traits: ModelTraits): ClaudeRules {
  const name = undatedModel(traits.upstream);
  if (traits.vendor !== 'anthropic' && !name.includes('claude')) return older;
  const shape = nameShape.exec(name);
  if (shape === null) return newest;
  const version = Number(shape[2]) * 100 + Number(shape[3] ?? 0);
  const family = shape[1] ?? shape[4] ?? '';
  if (version < opus46) return older;
  return {
    ...newest,
    sampling: version === opus46,
    extraEffort: version > opus46,
    forcedTool: version < (unforced.get(family) ?? Number.POSITIVE_INFINITY),
    systemBetweenTurns: version > opus46,
  };
}
