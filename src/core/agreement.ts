/** An agreement made before it is needed: who stands behind it, since when, and by when it is to be looked at again. */
export type Agreement = {
  readonly by: readonly string[];
  /** Epoch ms; null when it is not said. */
  readonly on: number | null;
  readonly reviewMs: number | null;
};

const dayMs = 86_400_000;

/** The instant (epoch ms) by which it is to be reviewed; null when none was agreed. */
export function reviewBy(agreed: Agreement | null): number | null {
  if (agreed === null || agreed.on === null || agreed.reviewMs === null) return null;
  return agreed.on + agreed.reviewMs;
}

/** Words of a stale agreement behind something; null when it is in date, or has none to be in. */
export function staleWords(what: string, agreed: Agreement | null, now: number): string | null {
  const due = reviewBy(agreed);
  if (due === null || now < due) return null;
  const days = Math.floor((now - due) / dayMs);
  return `The agreement behind ${what} was to be reviewed ${days === 0 ? 'today' : `${days} ${days === 1 ? 'day' : 'days'} ago`}.`;
}
