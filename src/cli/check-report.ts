/** The report of `breakwater check`: problems, then what each feature can survive. */
import { scopeText } from '../core/switches.ts';
import type { ClassCoverage, FeatureCoverage, LossCoverage } from '../core/coverage.ts';
import { problemText } from '../sync/config-file.ts';
import type { LocatedProblem } from '../sync/yaml-text.ts';
import { table } from './layout.ts';

const verdictWords: Record<LossCoverage['verdict'], string> = {
  survives: 'survives',
  reduced: 'limited mode',
  asks: 'asks the user',
  stops: 'STOPS',
};

function lossRow({ loss, verdict, by, hop }: LossCoverage): readonly string[] {
  return [
    `  without ${scopeText(loss)}`,
    verdictWords[verdict],
    by === null ? '' : `${by}${hop === null ? '' : ` (${hop})`}`,
  ];
}

/** In one line: who answers, and what stops it. */
function classText({ dataClass, normal, by, losses }: ClassCoverage): string {
  if (normal === 'stops') return `  data of class ${dataClass}: refused, nobody here may process it`;
  const stops = losses.filter(({ verdict }) => verdict === 'stops').map(({ loss }) => scopeText(loss));
  const asks = losses.filter(({ verdict }) => verdict === 'asks').map(({ loss }) => scopeText(loss));
  const parts = [
    normal === 'asks' ? `asks the user for ${by ?? ''}` : (by ?? ''),
    ...(asks.length === 0 || normal === 'asks' ? [] : [`asks without ${asks.join(', ')}`]),
    ...(stops.length === 0 ? [] : [`STOPS without ${stops.join(', ')}`]),
  ];
  return `  data of class ${dataClass}: ${parts.join('; ')}`;
}

function featureText(feature: FeatureCoverage): string {
  const claims = feature.claims.map(
    ({ claim, holds, why }) => `  ${holds ? 'holds' : 'FAILS'}: ${claim} (${why})`,
  );
  return [
    `${feature.title} (${feature.feature})`,
    table(feature.losses.map(lossRow)),
    ...feature.dataClasses.map(classText),
    ...claims,
  ].join('\n');
}

export function checkText(
  file: string,
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
    ...problems.map((problem) => problemText(file, problem)),
    ...features.map(featureText),
    verdict,
  ].join('\n\n');
}
