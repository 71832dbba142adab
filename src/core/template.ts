/**
 * Texts of a configuration with places to be filled: `{{feature}}`. Which places there are is a closed list, so that a
 * misspelt one is found when the configuration loads and not in a customer's answer. `{{open}}` writes two braces.
 *
 * It refuses conditions, loops and anything from the request but the caller's own system prompt.
 */
import { didYouMean } from './nearest.ts';

export const templatePlaces = ['system', 'feature', 'requested', 'model', 'open'] as const;
export type TemplatePlace = (typeof templatePlaces)[number];
export type Template = readonly (string | { readonly place: TemplatePlace })[];

export type TemplateProblem = { readonly message: string; readonly remedy: string };

/** Longest text a configuration may add to a request. */
export const templateLengthMax = 32_768;

function placeOf(word: string): TemplatePlace | null {
  return templatePlaces.find((place) => place === word) ?? null;
}

export type ParsedTemplate =
  | { readonly kind: 'template'; readonly template: Template }
  | { readonly kind: 'problems'; readonly problems: readonly TemplateProblem[] };

/** Reads a text; every problem of it when it is not a template. */
export function parseTemplate(text: string): ParsedTemplate {
  const problems: TemplateProblem[] = [];
  const parts: (string | { readonly place: TemplatePlace })[] = [];
  if (text.trim() === '') problems.push({ message: 'is empty', remedy: 'write a text, or leave it out' });
  if (text.length > templateLengthMax)
    problems.push({ message: `is longer than ${templateLengthMax} characters`, remedy: 'shorten it' });
  let at = 0;
  for (;;) {
    const start = text.indexOf('{{', at);
    if (start > at || (start < 0 && at < text.length))
      parts.push(text.slice(at, start < 0 ? undefined : start));
    if (start < 0) break;
    const end = text.indexOf('}}', start);
    if (end < 0) {
      problems.push({
        message: 'opens "{{" and never closes it',
        remedy: 'close it with "}}", or write {{open}} for two braces',
      });
      break;
    }
    const word = text.slice(start + 2, end).trim();
    const place = placeOf(word);
    if (place === null)
      problems.push({
        message: `has the unknown place "{{${word.slice(0, 40)}}}"`,
        remedy:
          didYouMean(word, templatePlaces) ||
          `places are ${templatePlaces.map((known) => `{{${known}}}`).join(', ')}`,
      });
    else parts.push({ place });
    at = end + 2;
  }
  return problems.length > 0 ? { kind: 'problems', problems } : { kind: 'template', template: parts };
}

export function fill(template: Template, values: Readonly<Record<TemplatePlace, string>>): string {
  return template.map((part) => (typeof part === 'string' ? part : values[part.place])).join('');
}
