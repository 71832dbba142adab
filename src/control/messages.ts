/**
 * Messages to users as verbs: looked at before they are said, said by a person or by the machine after a hold-down, or
 * kept back with a reason. A text that says no more than "degraded" is refused, whoever wrote it.
 */
import { z } from 'zod';

import { instant, modelIn } from '../core/ids.ts';
import type { Instant } from '../core/ids.ts';
import { vagueRemedy, vagueWords } from '../core/incident-words.ts';
import { composed, nextUpdateAfter, stageOf } from '../core/message.ts';
import type { Message, MessageFacts, MessageSettings, MessageText } from '../core/message.ts';
import { messageStages } from '../core/message-texts.ts';
import type { MessageStage } from '../core/message-texts.ts';
import { isOpen, modelsOf } from '../core/incident.ts';
import type { Incident } from '../core/incident.ts';
import { readIncident } from './incident-queries.ts';
import type { IncidentRead } from './incident-queries.ts';
import { promiseProblem } from './incident-inputs.ts';
import { reason, written } from './reason.ts';
import { carryOut, controlError, done, newChange, parseInput, withStore } from './verb.ts';
import type { ControlDependencies, ControlError, Result } from './verb.ts';

export type MessageDependencies = ControlDependencies & {
  readonly settings: () => MessageSettings;
  /** What people call a feature. */
  readonly titleOf: (feature: string) => string;
  /** Something was said or kept back: whoever shows it looks again. */
  readonly said: (message: Message) => void;
};

const title = written.min(3).max(150);
const body = written.min(3).max(4_000);
const stage = z.enum(messageStages);
const moment = z.iso.datetime({ offset: true, error: 'must be a time such as 2026-06-07T08:00:00Z' });
const texts = z.record(
  z.string().regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/, 'must be a language such as de'),
  z.strictObject({ title, body, desk: body.optional() }),
);

/** Of a message that is looked at or published; what is not said comes from the texts for its stage. */
export const messageInput = z.strictObject({
  /** Default: where the incident stands. */
  stage: stage.optional(),
  title: title.optional(),
  body: body.optional(),
  /** Whole texts by language, in place of ours. */
  texts: texts.optional(),
  /** Default: after `messages.nextUpdate`; null promises nothing. */
  next_update_at: moment.nullable().optional(),
});
export type MessageInput = z.infer<typeof messageInput>;

export const suppressInput = z.strictObject({
  stage: stage.optional(),
  reason,
});

export type Draft = {
  readonly stage: MessageStage;
  readonly texts: Readonly<Record<string, MessageText>>;
  readonly nextUpdateAt: Instant | null;
  /** Why it cannot be published; empty when it can. */
  readonly problems: readonly string[];
};

export function factsOf(
  { incident, impact }: Pick<IncidentRead, 'incident' | 'impact'>,
  nextUpdateAt: Instant | null,
  again = false,
): MessageFacts {
  const failing = new Set(modelsOf(incident));
  const backups = incident.features.flatMap(({ backup }) => {
    if (backup === null) return [];
    return [failing.has(modelIn(backup)) ? null : modelIn(backup)];
  });
  const isExamined = incident.targets.every(({ from }) => from !== null);
  return {
    incident: incident.id,
    failureClass: incident.failureClass,
    models: modelsOf(incident),
    features: incident.features.map(({ title: name, status }) => ({ title: name, status })),
    backups: [...new Set(backups)],
    dataLeftTo: isExamined || impact.leftTo.size > 0 ? [...impact.leftTo.keys()] : null,
    nextUpdateAt,
    again,
    normalAt: incident.times.normalRoutingResumed ?? (isOpen(incident.state) ? null : incident.stateAt),
  };
}

const featuresThen = ({ features }: Incident): Message['features'] =>
  features.map(({ feature, status }) => ({ feature, status }));

export const messageStageOf = ({ state, features }: Incident): MessageStage => stageOf({ state, features });

/** A message as it would be published: in every language there are texts for. */
export function draftOf(
  read: Pick<IncidentRead, 'incident' | 'impact'>,
  input: MessageInput,
  settings: MessageSettings,
  now: Instant,
  /** How often the stage was said before without anything new; null for what a person says. */
  before: number | null = null,
): Draft {
  const at = input.stage ?? messageStageOf(read.incident);
  const asked = input.next_update_at;
  const nextUpdateAt =
    asked === undefined
      ? nextUpdateAfter(at, settings, now, before ?? 0)
      : asked === null
        ? null
        : instant(Date.parse(asked));
  const facts = factsOf(read, nextUpdateAt, before !== null && before > 0);
  const own = input.title !== undefined || input.body !== undefined || input.texts !== undefined;
  // What a person has written is not contradicted by our own words in other languages.
  const locales = own ? ['en'] : [...settings.locales.keys()];
  const written: Record<string, MessageText> = {};
  for (const locale of locales) {
    const texts = settings.locales.get(locale);
    if (texts !== undefined) written[locale] = composed(facts, at, texts);
  }
  const { en } = written;
  if (en !== undefined)
    written['en'] = { ...en, title: input.title ?? en.title, body: input.body ?? en.body };
  for (const [locale, text] of Object.entries(input.texts ?? {}))
    written[locale] = { title: text.title, body: text.body, desk: text.desk ?? en?.desk ?? '' };
  const problems = Object.entries(written).flatMap(([locale, text]) =>
    [text.title, text.body].flatMap((part) => {
      const vague = vagueWords(part);
      return vague === null ? [] : [`${locale}: ${vague}`];
    }),
  );
  return { stage: at, texts: written, nextUpdateAt, problems };
}

const unknown = (id: string): ControlError =>
  controlError('not_found', `There is no incident ${id}.`, 'List them with: breakwater incident list');

const refused = ([problem = '']: readonly string[]): ControlError =>
  controlError('invalid', problem, vagueRemedy, 'body');

export function previewMessage(
  id: string,
  input: unknown,
  dependencies: MessageDependencies,
): Promise<Result<Draft>> {
  return withStore<Draft>(async () => {
    const parsed = parseInput(messageInput, input ?? {});
    if (parsed.kind === 'error') return parsed;
    const promise = promiseProblem(parsed.value.next_update_at, dependencies.now());
    if (promise !== null) return promise;
    const read = await readIncident(id, { ...dependencies, now: dependencies.now() });
    if (read === null) return unknown(id);
    return done(draftOf(read, parsed.value, dependencies.settings(), dependencies.now()));
  });
}

async function keep(message: Message, reason: string, dependencies: MessageDependencies): Promise<Message> {
  const { incident, stage: at, texts: said, automatic } = message;
  const change = newChange(
    {
      kind: message.state === 'published' ? 'message.published' : 'message.suppressed',
      actor: message.by,
      subject: incident,
      reason,
      before: null,
      after: { id: message.id, incident, stage: at, automatic, texts: said },
    },
    dependencies,
  );
  await dependencies.store.insertMessage(message, change);
  dependencies.said(message);
  return message;
}

export type Publishing = {
  readonly id: string;
  readonly input: unknown;
  /** Said without anybody asking, after the stage was said so many times before; null when somebody asked. */
  readonly automatic: { readonly before: number } | null;
};

export function publishMessage(
  { id, input, automatic }: Publishing,
  actor: string,
  dependencies: MessageDependencies,
): Promise<Result<Message>> {
  return carryOut<Message>({ actor, subject: id }, dependencies, async () => {
    const { now, newId, settings } = dependencies;
    const parsed = parseInput(messageInput, input ?? {});
    if (parsed.kind === 'error') return parsed;
    const promise = promiseProblem(parsed.value.next_update_at, now());
    if (promise !== null) return promise;
    const read = await readIncident(id, { ...dependencies, now: now() });
    if (read === null) return unknown(id);
    if (read.incident.state === 'dismissed' || read.incident.mergedInto !== null)
      return controlError(
        'conflict',
        `Incident ${id} is closed without a story.`,
        'Publish for the one that goes on.',
      );
    const draft = draftOf(read, parsed.value, settings(), now(), automatic?.before ?? null);
    if (draft.problems.length > 0) return refused(draft.problems);
    const message: Message = {
      id: newId('pub'),
      incident: id,
      stage: draft.stage,
      state: 'published',
      at: now(),
      by: actor,
      automatic: automatic !== null,
      reason: null,
      texts: draft.texts,
      nextUpdateAt: draft.nextUpdateAt,
      features: featuresThen(read.incident),
    };
    return done(await keep(message, draft.texts['en']?.title ?? draft.stage, dependencies));
  });
}

/** Keeps back what would be said at a stage; the reason stays with it. */
export function suppressMessage(
  id: string,
  input: unknown,
  actor: string,
  dependencies: MessageDependencies,
): Promise<Result<Message>> {
  return carryOut<Message>({ actor, subject: id }, dependencies, async () => {
    const { now, newId, store } = dependencies;
    const parsed = parseInput(suppressInput, input);
    if (parsed.kind === 'error') return parsed;
    const incident = await store.findIncident(id);
    if (incident === null) return unknown(id);
    const { stage: at, reason } = parsed.value;
    const message: Message = {
      id: newId('pub'),
      incident: id,
      stage: at ?? messageStageOf(incident),
      state: 'suppressed',
      at: now(),
      by: actor,
      automatic: false,
      reason,
      texts: {},
      nextUpdateAt: null,
      features: featuresThen(incident),
    };
    return done(await keep(message, reason, dependencies));
  });
}
