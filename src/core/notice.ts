/**
 * What a product can show next to an answer that did not come from the model that was asked for: one sentence for the
 * user, and the facts behind it.
 *
 * It says what happened and where content went. It refuses to excuse, and it says nothing when there is nothing to say.
 */
import { listWords, crossingWords } from './words.ts';
import type { BoundaryCrossing, Hop } from './target.ts';

export type Notice = {
  /** `continued`: begun by one model and finished by another. */
  readonly kind: 'backup' | 'limited' | 'continued';
  readonly requested: string;
  readonly target: string;
  readonly model: string;
  readonly company: string | null;
  readonly region: string | null;
  readonly retention: string;
  /** Null when the target that was asked for wrote the rest itself. */
  readonly hop: Hop | null;
  readonly boundary: readonly BoundaryCrossing[];
  /** Why the preferred target did not answer: a code. */
  readonly reason: string | null;
};

function happened({ kind, requested, model, company, hop }: Notice): string {
  const by = company === null ? model : `${model} at ${company}`;
  switch (kind) {
    case 'backup':
      return hop === 'same_model'
        ? `This answer is from ${model} at another provider${company === null ? '' : `, ${company}`}, because the usual one is not available right now.`
        : `This answer is from ${by}, because ${requested} is not available right now.`;
    case 'limited':
      return `Limited mode: this answer is from a smaller model, ${by}, because ${requested} is not available right now. It may be shorter and less complete than usual.`;
    case 'continued':
      return `The model was interrupted in the middle of this answer; ${by} wrote the rest.`;
  }
}

function crossed({ boundary }: Notice): string {
  return boundary.length === 0
    ? ''
    : ` Your request was processed under other terms than usual: ${listWords(boundary.map((crossing) => crossingWords[crossing]))}.`;
}

/** The sentence for the user. */
export function noticeWords(notice: Notice): string {
  return `${happened(notice)}${crossed(notice)}`;
}
