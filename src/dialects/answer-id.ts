/** An answer keeps its id across dialects, under the prefix that callers of each expect. */
const prefixes = ['chatcmpl-', 'msg_', 'resp_'] as const;

export function answerIdFor(id: string, prefix: (typeof prefixes)[number]): string {
  const given = prefixes.find((known) => id.startsWith(known));
  const bare = given === undefined ? id : id.slice(given.length);
  return prefix + (bare === '' ? 'unnamed' : bare);
}
