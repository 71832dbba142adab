/** The report of `breakwater check`: problems, then what each feature can survive. */
import type { FeatureCoverage } from '../core/coverage.ts';
import { coverageToWire } from '../http/wire.ts';
import type { LocatedProblem } from '../sync/yaml-text.ts';
import { coverageText } from './coverage-text.ts';

export function checkText(
  words: (problem: LocatedProblem) => string,
  problems: readonly LocatedProblem[],
  features: readonly FeatureCoverage[],
): string {
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const failing = features.flatMap((feature) => feature.claims).filter((claim) => !claim.holds).length;
  const verdict =
    errors > 0
      ? `${errors} ${errors === 1 ? 'error' : 'errors'}: this configuration cannot be used.`
      : failing > 0
        ? `It can be used, but ${failing} of its own claims ${failing === 1 ? 'does' : 'do'} not hold.`
        : 'It can be used.';
  return [
    ...problems.map(words),
    ...features.map((feature) => coverageText(coverageToWire(feature))),
    verdict,
  ].join('\n\n');
}
