/** A badge: a small picture, and the same for shields.io's endpoint badge. Of everything, or of one feature. */
import { featureWords } from '../core/feature-words.ts';
import type { FeatureStatus } from '../core/status.ts';
import { escaped } from './html.ts';
import type { Site } from './site.ts';

/** Dark enough for white text on each. */
const colors: Readonly<Record<FeatureStatus, string>> = {
  normal: '#146c3a',
  backup: '#1d4f91',
  slow: '#8a4b00',
  partial: '#8a4b00',
  paused: '#a4161a',
  unavailable: '#a4161a',
};

type Badge = { readonly label: string; readonly status: FeatureStatus };

/** Null when there is no such feature; the feature null means all. */
export function badgeOf({ page, settings }: Site, feature: string | null): Badge | null {
  if (feature === null) return { label: settings.title, status: page.overall };
  const found = page.features.find((each) => each.feature === feature);
  return found === undefined ? null : { label: found.title, status: found.status };
}

/** Wide enough for the widest letters a browser's plain font has. */
const widthOf = (text: string): number => Math.ceil([...text].length * 6.8) + 14;

export function badgeSvg({ label, status }: Badge): string {
  const words = featureWords[status];
  const [left, right] = [widthOf(label), widthOf(words)];
  const name = escaped(`${label}: ${words}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="20" role="img" aria-label="${name}"><title>${name}</title><clipPath id="r"><rect width="${left + right}" height="20" rx="4"/></clipPath><g clip-path="url(#r)"><path fill="#3b3f46" d="M0 0h${left}v20H0z"/><path fill="${colors[status]}" d="M${left} 0h${right}v20H${left}z"/></g><g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"><text x="${left / 2}" y="14">${escaped(label)}</text><text x="${left + right / 2}" y="14">${words}</text></g></svg>
`;
}

/** https://shields.io/badges/endpoint-badge */
export function badgeJson({ label, status }: Badge): string {
  return JSON.stringify({
    schemaVersion: 1,
    label,
    message: featureWords[status],
    color: colors[status].slice(1),
    isError: status === 'unavailable',
    cacheSeconds: 60,
  });
}
