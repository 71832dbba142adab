/** What a feature can survive, as `check` and `coverage` tell it, from what the API says. */
import type { LossCoverage } from '../core/coverage.ts';
import type { Json } from './client.ts';
import { table, textOf } from './layout.ts';

const verdictWords: Record<LossCoverage['verdict'], string> = {
  survives: 'survives',
  reduced: 'limited mode',
  asks: 'asks the user',
  stops: 'STOPS',
};

const verdictText = (verdict: unknown): string =>
  verdictWords[verdict as LossCoverage['verdict']] ?? textOf(verdict);
const listOf = (value: unknown): readonly Json[] => (value ?? []) as readonly Json[];

function lossRow({ loss, verdict, by, hop }: Json): readonly string[] {
  const who = by === null ? '' : `${textOf(by)}${hop === null ? '' : ` (${textOf(hop)})`}`;
  return [`  without ${textOf(loss)}`, verdictText(verdict), who];
}

/** In one line: who answers, and what stops it. */
function classText({ data_class: name, normal, by, losses }: Json): string {
  if (normal === 'stops') return `  data of class ${textOf(name)}: refused, nobody here may process it`;
  const without = (wanted: LossCoverage['verdict']): string =>
    listOf(losses)
      .filter(({ verdict }) => verdict === wanted)
      .map(({ loss }) => textOf(loss))
      .join(', ');
  const [asks, stops] = [without('asks'), without('stops')];
  const who = by === null ? '' : textOf(by);
  const parts = [
    normal === 'asks' ? `asks the user for ${who}` : who,
    ...(asks === '' || normal === 'asks' ? [] : [`asks without ${asks}`]),
    ...(stops === '' ? [] : [`STOPS without ${stops}`]),
  ];
  return `  data of class ${textOf(name)}: ${parts.join('; ')}`;
}

export function coverageText(feature: Json): string {
  const claims = listOf(feature['claims']).map(
    ({ claim, holds, why }) => `  ${holds === true ? 'holds' : 'FAILS'}: ${textOf(claim)} (${textOf(why)})`,
  );
  return [
    `${textOf(feature['title'])} (${textOf(feature['feature'])})`,
    table(listOf(feature['losses']).map(lossRow)),
    ...listOf(feature['data_classes']).map(classText),
    ...claims,
  ].join('\n');
}
