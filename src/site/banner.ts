/**
 * The banner feed: what a product shows inside itself while something is not as usual. It says whether to show anything
 * at all, how grave it is and in which words, so that the product needs no rules of its own. Nothing is shown for a
 * backup model until somebody, or the hold-down, has said so.
 */
import { momentText } from '../core/moment.ts';
import { inLocale } from '../core/message.ts';
import type { Message } from '../core/message.ts';
import type { TextSet } from '../core/message-texts.ts';
import { featureWords } from '../core/feature-words.ts';
import type { FeatureLine } from '../core/status-page.ts';
import type { FeatureStatus } from '../core/status.ts';
import { publicLink } from './site.ts';
import type { Site } from './site.ts';

type Json = { readonly [key: string]: unknown };

const levels: Readonly<Record<FeatureStatus, 'none' | 'info' | 'warning' | 'error'>> = {
  normal: 'none',
  backup: 'info',
  slow: 'warning',
  partial: 'warning',
  paused: 'error',
  unavailable: 'error',
};

/** States that users meet whether or not anybody has said something. */
const felt: ReadonlySet<FeatureStatus> = new Set(['partial', 'paused', 'unavailable']);

/** The newest message about a feature, of an incident that it is part of. */
function messageOf(site: Site, feature: string): Message | null {
  const about = site.page.stories.filter(
    (story) => story.isOpen && story.features.some((each) => each.feature === feature),
  );
  const said = about.flatMap(({ id }) => site.said.get(id) ?? []);
  return [...said].sort((one, other) => other.at - one.at)[0] ?? null;
}

const statesIn = ({ locales }: Site, locale: string): TextSet['states'] =>
  inLocale(Object.fromEntries(locales), locale)?.states ?? featureWords;

function featureBanner(site: Site, feature: FeatureLine, locale: string): Json {
  const message = messageOf(site, feature.feature);
  const text = message === null ? null : inLocale(message.texts, locale);
  const isNormal = feature.status === 'normal';
  return {
    feature: feature.feature,
    title: feature.title,
    status: feature.status,
    words: statesIn(site, locale)[feature.status],
    show: !isNormal && (text !== null || felt.has(feature.status)),
    level: levels[feature.status],
    heading: isNormal ? null : `${feature.title}: ${statesIn(site, locale)[feature.status]}`,
    text: isNormal ? null : (text?.body ?? null),
    incident: message?.incident ?? null,
    url: message === null ? publicLink('home', site) : publicLink({ incident: message.incident }, site),
    said_at: message === null ? null : momentText(message.at),
    next_update_at: message?.nextUpdateAt == null ? null : momentText(message.nextUpdateAt),
  };
}

export type BannerAsked = { readonly feature: string | null; readonly locale: string };

/** Null when there is no such feature. */
export function banner(site: Site, { feature, locale }: BannerAsked): Json | null {
  const common = { generated_at: momentText(site.page.generatedAt), locale };
  if (feature === null)
    return { ...common, features: site.page.features.map((each) => featureBanner(site, each, locale)) };
  const found = site.page.features.find((each) => each.feature === feature);
  return found === undefined ? null : { ...common, ...featureBanner(site, found, locale) };
}
