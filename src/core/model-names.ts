/**
 * Names of models as people write them: `claude-opus-4-7` and `claude-opus-4-8` are "Claude Opus 4.7 and 4.8", and a
 * title that says "Opus 4.8" means `claude-opus-4-8`. Told apart by version, because one version fails while the next
 * one works; a title that names only the vendor names no model, and nothing is guessed from it.
 */
import { listWords } from './words.ts';

type Parsed = { readonly name: string; readonly version: string; readonly rest: string };

const isVersion = (token: string): boolean =>
  /^\d{1,3}(?:\.\d{1,3})*[a-z]?$/i.test(token) && !/^\d+b$/i.test(token);
const isDate = (token: string): boolean => /^\d{6,8}$/.test(token);

const acronyms: ReadonlySet<string> = new Set(['gpt', 'glm', 'oss']);
const capital = (word: string): string =>
  acronyms.has(word) ? word.toUpperCase() : word.replace(/^[a-z](?!\d)/, (letter) => letter.toUpperCase());

/** `llama-3.2-3b` → Llama, 3.2, 3B. */
function parse(model: string): Parsed {
  const tokens = model
    .slice(model.lastIndexOf('/') + 1)
    .toLowerCase()
    .split(/[-_:\s]+/)
    .filter((token) => token !== '' && !isDate(token));
  const first = tokens.findIndex(isVersion);
  if (first < 0) return { name: tokens.map(capital).join(' '), version: '', rest: '' };
  const after = tokens.findIndex((token, index) => index > first && !isVersion(token));
  const end = after < 0 ? tokens.length : after;
  return {
    name: tokens.slice(0, first).map(capital).join(' '),
    version: tokens.slice(first, end).join('.'),
    rest: tokens
      .slice(end)
      .map((token) => (/^\d+b$/.test(token) ? token.toUpperCase() : capital(token)))
      .join(' '),
  };
}

function together(name: string, versions: string, rest: string): string {
  const joint = name === 'GPT' ? '-' : ' ';
  return [versions === '' ? name : name === '' ? versions : `${name}${joint}${versions}`, rest]
    .filter((part) => part !== '')
    .join(' ');
}

/** Models as one would say them; versions of one family are named together. */
export function modelWords(models: readonly string[], and = 'and'): string {
  const families = new Map<string, { parsed: Parsed; versions: string[] }>();
  for (const model of models) {
    const parsed = parse(model);
    const family = `${parsed.name}|${parsed.rest}`;
    const known = families.get(family);
    if (known === undefined) families.set(family, { parsed, versions: [parsed.version] });
    else if (!known.versions.includes(parsed.version)) known.versions.push(parsed.version);
  }
  const byNumber = (one: string, other: string): number => one.localeCompare(other, 'en', { numeric: true });
  return listWords(
    [...families.values()].map(({ parsed, versions }) =>
      together(parsed.name, listWords([...versions].sort(byNumber), and), parsed.rest),
    ),
    and,
  );
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

const separator = String.raw`(?:\s*(?:,|/|&|\+|\band\b|\bor\b)\s*)+`;
const anyVersion = String.raw`\d{1,3}(?:[.-]\d{1,3})*[a-z]?(?![\d.]*\d)`;

/** The versions that a text names right after a word, `4.7, 4.8 and 5` included. */
function versionsAfter(text: string, word: string): readonly string[] {
  // A list may repeat the word: "Opus 4.7 and Opus 4.8".
  const list = new RegExp(
    String.raw`(?<![a-z0-9])${escaped(word)}[\s-]+(${anyVersion}(?:${separator}(?:${escaped(word)}[\s-]+)?${anyVersion})*)`,
    'g',
  );
  return [...text.matchAll(list)].flatMap((match) =>
    [...(match[1] ?? '').matchAll(new RegExp(anyVersion, 'g'))].map(([version]) =>
      version.replaceAll('-', '.'),
    ),
  );
}

/** Text of strangers is looked at no further than this. */
const textLengthMax = 20_000;

/** `4-8` and `4.8` are the same version. */
const dotted = (text: string): string => text.toLowerCase().replaceAll(/(\d)-(?=\d)/g, '$1.');

/** Words that make another model of a version: "GPT-5.2" is not "GPT-5.2 mini". */
const variants = /^[\s-]+(?:mini|nano|pro|flash|lite|turbo|max|codex)\b/;

/** Whether a text has the version somewhere without a variant's word behind it. */
function isPlain(text: string, version: string): boolean {
  return text
    .split(version)
    .slice(1)
    .some((after) => !variants.test(after));
}

function isNamed(model: string, text: string): boolean {
  const { name, version, rest } = parse(model);
  const whole = escaped(dotted(model));
  const isWhole = new RegExp(String.raw`(?<![a-z0-9])${whole}(?![.-]?\d)`).test(text);
  if (version === '') return isWhole;
  if (rest !== '')
    return (
      isWhole ||
      new RegExp(
        escaped(`${name} ${version} ${rest}`.toLowerCase()).replaceAll(' ', String.raw`[\s-]+`),
      ).test(text)
    );
  const word = name.toLowerCase().split(' ').at(-1) ?? '';
  return (
    (isWhole || (word !== '' && versionsAfter(text, word).includes(version))) &&
    isPlain(text, isWhole ? dotted(model) : version)
  );
}

/** Which of the known models a text names. Empty: it names none, which is not that it means all. */
export function modelsNamed(text: string, known: Iterable<string>): readonly string[] {
  const shown = dotted(text.slice(0, textLengthMax));
  return [...new Set(known)].filter((model) => isNamed(model, shown));
}
