/** Shipped languages are complete: every text there is, every place filled, none vague. */
import { describe, expect, test } from 'bun:test';

import { compileMessages } from './configure-messages.ts';
import { vagueWords } from './incident-words.ts';
import { shippedLocales } from './message.ts';
import { english } from './message-texts.ts';
import type { Problem } from './snapshot.ts';

type Texts = ReadonlyMap<string, string>;
function textsOf(value: object, at = ''): Texts {
  return new Map(
    Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
      typeof inner === 'string'
        ? [[`${at}${key}`, inner] as const]
        : [...textsOf(inner as object, `${at}${key}.`)],
    ),
  );
}
const placesOf = (text: string): readonly string[] => [...new Set(text.match(/\{\w+\}/g))].sort();
const source = textsOf(english);
/** The same in both languages. */
const alike = new Set(['JSON für Programme']);

describe.each([...shippedLocales].filter(([locale]) => locale !== 'en'))('%s', (_locale, texts) => {
  const given = textsOf(texts);

  test('has every text that English has, and no other', () =>
    expect([...given.keys()].sort()).toEqual([...source.keys()].sort()));

  test('fills the places that English fills', () => {
    for (const [path, text] of given)
      if (path.startsWith('site.') || path === 'at')
        expect([path, placesOf(text)]).toEqual([path, placesOf(source.get(path) ?? '')]);
  });

  test('says nothing in English, and nothing vague', () => {
    for (const [path, text] of given) {
      if (text.length > 12 && !alike.has(text))
        expect([path, text]).not.toEqual([path, source.get(path) ?? '']);
      expect(vagueWords(text)).toBeNull();
    }
  });
});

describe('languages of one’s own', () => {
  const compiled = (
    locales: Parameters<typeof compileMessages>[0]['locales'],
    files?: Parameters<typeof compileMessages>[2],
  ) => {
    const problems: Problem[] = [];
    const settings = compileMessages({ locales }, (problem) => void problems.push(problem), files);
    return { settings, problems };
  };

  test('English alone is spoken unless others are named; German is there for the asking', () => {
    expect([...compiled(undefined).settings.locales.keys()]).toEqual(['en']);
    const { settings } = compiled({ de: {} });
    expect(settings.locales.get('de')).toEqual(shippedLocales.get('de') ?? english);
  });

  test('may come from files; what they lack is as shipped, or in English', () => {
    const files = new Map([
      ['de', { file: 'locales/de.yaml', value: { site: { sections: { features: 'Bausteine' } } } }],
      [
        'fr',
        {
          file: 'locales/fr.yaml',
          value: { name: 'Français', states: { normal: 'fonctionne normalement' } },
        },
      ],
    ]);
    const { settings, problems } = compiled('./locales', files);
    expect(problems).toEqual([]);
    expect(settings.locales.get('de')?.site.sections).toMatchObject({
      features: 'Bausteine',
      models: 'Modelle',
    });
    expect(settings.locales.get('fr')).toMatchObject({
      name: 'Français',
      states: { normal: 'fonctionne normalement' },
      site: english.site,
    });
  });

  test.each([
    ['an unknown key', { site: { section: {} } }, 'site: '],
    [
      'a place that stands for nothing',
      { site: { foot: { asOf: 'Stand {tim}.' } } },
      '{tim} stands for nothing',
    ],
    ['a vague word', { titles: { availability: 'degraded' } }, 'degraded'],
    ['no texts at all', 'no YAML: x', 'expected object'],
  ])('%s in a file is refused, with the file’s name', (_name, value, words) => {
    const { problems } = compiled('./locales', new Map([['de', { file: 'locales/de.yaml', value }]]));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toStartWith('locales/de.yaml: ');
    expect(problems[0]?.message).toContain(words);
  });

  test('what `message texts` prints is a file that can be read again', () => {
    for (const [locale, texts] of shippedLocales) {
      const value: unknown = Bun.YAML.parse(Bun.YAML.stringify(texts, null, 2));
      const { settings, problems } = compiled('./locales', new Map([[locale, { file: 'x', value }]]));
      expect(problems).toEqual([]);
      expect(settings.locales.get(locale)).toEqual(texts);
    }
  });

  test('a folder without languages, and a file that is named after none, are refused', () => {
    expect(compiled('./locales').problems).toHaveLength(1);
    expect(
      compiled('./locales', new Map([['words', { file: 'words.yaml', value: {} }]])).problems,
    ).toMatchObject([{ remedy: 'name it such as de.yaml or pt-BR.yaml' }]);
  });
});
