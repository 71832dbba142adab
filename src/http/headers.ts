/** Breakwater's own headers, as one table: documentation and `contract/headers.txt` are made from it. */
type Row = { readonly direction: 'request' | 'response'; readonly meaning: string };

// oxfmt-ignore
export const headerTable: Readonly<Record<string, Row>> = {
  'x-breakwater-feature (request)':  { direction: 'request',  meaning: 'the feature, when model is a pick of the user' },
  'x-breakwater-data-class':         { direction: 'request',  meaning: 'class of the data; decides where it may go' },
  'x-breakwater-user':               { direction: 'request',  meaning: 'pseudonymous user; 1 to 128 safe characters' },
  'x-breakwater-session':            { direction: 'request',  meaning: 'session of the user' },
  'x-breakwater-consent':            { direction: 'request',  meaning: 'one-use token from an offer the user agreed to; "; scope=session; minutes=30" or "; scope=incident" behind it for longer' },
  'x-breakwater-timeout-ms':         { direction: 'request',  meaning: 'time for the whole request; may only shorten it' },
  'x-breakwater-fallback (request)': { direction: 'request',  meaning: 'auto, notify, ask or never; may only tighten the policy' },
  'x-breakwater-notice (request)':   { direction: 'request',  meaning: 'inband: a notice may stand inside the answer; header (default): only in the header' },
  'traceparent':                     { direction: 'request',  meaning: 'W3C trace context, passed on and kept in the record' },
  'x-breakwater-request-id':         { direction: 'response', meaning: 'id of the record; also in the header each SDK reads' },
  'x-breakwater-feature':            { direction: 'response', meaning: 'the feature the request counted as' },
  'x-breakwater-requested':          { direction: 'response', meaning: 'the name that was asked for' },
  'x-breakwater-target':             { direction: 'response', meaning: 'who answered: provider/model' },
  'x-breakwater-attempts':           { direction: 'response', meaning: 'how many calls were made' },
  'x-breakwater-fallback':           { direction: 'response', meaning: 'why the preferred target did not answer; absent when it did' },
  'x-breakwater-hop':                { direction: 'response', meaning: 'same_model, same_vendor, other_vendor or local; absent without a hop' },
  'x-breakwater-boundary':           { direction: 'response', meaning: 'none, or what content crossed: entity, region, retention' },
  'x-breakwater-notice':             { direction: 'response', meaning: 'JSON for the product to show: a sentence and its facts, where the policy says notify or reduce' },
  'x-breakwater-warnings':           { direction: 'response', meaning: 'what a translation dropped, that a request was adapted, that everything permitted was out (panic), or what is wrong with an answer passed on' },
  'x-breakwater-incident':           { direction: 'response', meaning: 'the incident that the request has met; absent when it met none' },
  'x-breakwater-policy':             { direction: 'response', meaning: 'hash of the configuration that decided' },
  'x-should-retry':                  { direction: 'response', meaning: 'on errors: whether trying again can help; both major SDKs obey it' },
};
