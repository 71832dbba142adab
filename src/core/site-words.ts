/**
 * The status page's own words, in English. What stands between braces is filled in; which places a text has is what its
 * English has, so that a translation with a misspelt place is found when it is loaded.
 */
export const englishSite = {
  headline: {
    normal: 'Everything is working normally',
    more: '{count} more features',
  },
  sections: {
    now: 'What is going on',
    features: 'Features',
    models: 'Models',
    planned: 'Planned',
    past: 'Past incidents',
    told: 'Be told',
  },
  home: {
    noFeatures: 'No features are configured.',
    pastLink: 'The last 90 days, day by day',
    pastMore: 'incidents, uptime and how it is counted.',
    moreFeatures: 'And {count} more features: see the last 90 days.',
    moreModels: 'And {count} more.',
    moreStories: 'And {count} more: see the last 90 days.',
    calendar: 'Calendar of what is planned',
    programs: 'JSON for programs',
    badge: 'Badge',
  },
  key: {
    normal: 'no failures',
    backup: 'on a backup model',
    partly: 'slow or partly failing',
    out: 'paused or not available',
    unknown: 'no data',
  },
  models: {
    working: 'working',
    failing: 'failing; we do not use it right now',
    returning: 'coming back step by step',
    paused: 'paused by us',
    partly: 'working, but not at every provider',
  },
  events: {
    failing: 'More of its answers fail than we accept, so we do not send requests to it.',
    returning: 'It answers again. We bring it back step by step.',
    paused: 'We have taken it out.',
    backup: '{features}: working with a backup model.',
    asked: '{features}: some requests fail or need your consent.',
    out: '{features}: not available until it is back.',
  },
  eventTitles: {
    failing: '{models} is failing',
    returning: '{models} is coming back',
    paused: '{models} is paused by us',
    failingMany: '{models} are failing',
    returningMany: '{models} are coming back',
    pausedMany: '{models} are paused by us',
  },
  feature: {
    answers: '{backup} answers instead.',
    sameModel: 'The same model at another provider',
  },
  story: {
    since: 'since {time}',
    resolved: 'resolved {time}',
    next: 'Next update by {time}.',
  },
  incident: {
    back: 'How it is now',
    state: 'This incident is {state}.',
    what: 'What it is',
    when: 'When',
    said: 'What we said',
    model: 'Model affected: {models}.',
    models: 'Models affected: {models}.',
    noFeature: 'No feature is affected.',
    noBackup: 'No backup model was used.',
    answered: '{backup} answered instead.',
    answeredShare: '{backup} answered instead for {share} of its requests meanwhile.',
    worst: 'At worst: {state}.',
    normalAt: 'Normal routing resumed {time}.',
    notNormal: 'Normal routing has not resumed yet.',
    notYet: 'not yet',
    notKnown: 'not known',
  },
  storyStates: {
    investigating: 'being looked into',
    identified: 'understood, and being worked on',
    monitoring: 'coming back, and being watched',
    resolved: 'resolved',
    postmortem: 'resolved and reviewed',
  },
  times: {
    detected: 'We noticed',
    switched: 'We moved requests away',
    providerDeclared: 'The provider announced it',
    providerResolved: 'The provider called it resolved',
    normalRoutingResumed: 'Normal routing resumed',
  },
  past: {
    title: 'The last 90 days',
    counted: 'How uptime is counted',
    maths:
      'Uptime is 1 − (not available + paused by us + 0.3 × some requests fail) ÷ (time that was watched), rounded down. Time on a backup model is shown apart and is not downtime; neither is time that was slower than usual. Time that nobody watched is left out.',
    day: 'Day (UTC)',
    uptime: 'Uptime',
    unusual: 'Not as usual',
    incidents: 'Incidents',
    none: 'None.',
    noData: 'No data for the last {days} days.',
    summary: 'Last {days} days: {uptime} uptime',
    unavailable: '{time} not available',
    paused: '{time} paused by us',
    partial: '{time} with some requests failing',
    slow: '{time} slower than usual',
    backup: '{time} on a backup model',
    unwatchedDay: 'no data for 1 day',
    unwatchedDays: 'no data for {days} days',
  },
  planned: {
    from: 'from {day} on',
    between: '{from} to {until}',
    now: 'going on now',
    affects: 'Affects {features}.',
    retirement: '{model} may be retired',
    kept: 'Its maker promises to keep {model} until {day}.',
    used: 'Used by {features}.',
    others: 'Each of them has another model to go on with.',
    alone: '{features} has no other model yet.',
    aloneMany: '{features} have no other model yet.',
  },
  foot: {
    asOf: 'As of {time}.',
    stale: 'This page is more than {minutes} minutes old.',
    reload: 'Load it again to see how things are now.',
    staleCopy: 'This is a copy; if it stays old, its source may be out of reach.',
    copy: 'This is a copy, written whenever something changes and every minute besides: when the moment above is minutes ago, it is out of date.',
    source: 'The page itself is at {url}.',
    help: 'Get help',
    languages: 'Languages',
  },
} as const;

type Words<T> = { readonly [K in keyof T]: T[K] extends string ? string : Words<T[K]> };
export type SiteWords = Words<typeof englishSite>;

/** A text with its places filled. */
export function filled(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
