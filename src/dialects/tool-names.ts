/**
 * Tool names and call ids that another dialect accepts.
 *
 * Nothing has to be remembered between request and answer: a name that does not fit is changed in a way that depends
 * on the name alone, and whoever reads the answer finds the caller's own name by changing all declared names again.
 */
const toolIdLengthMax = 64;
const forbidden = /[^a-zA-Z0-9_-]/g;

/** A short fingerprint (FNV-1a, 53 bits of two runs), enough to keep the few names of one request apart. */
function fingerprint(text: string): string {
  let first = 0x81_1c_9d_c5;
  let second = 0x9e_37_79_b9;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    first = Math.imul(first ^ code, 0x01_00_01_93);
    second = Math.imul(second ^ code, 0x85_eb_ca_6b);
  }
  const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
  return (hex(first) + hex(second)).slice(0, 10);
}

function fitting(text: string, lengthMax: number): string {
  const safe = text.replace(forbidden, '_');
  if (safe === text && text.length <= lengthMax && text !== '') return text;
  const mark = fingerprint(text);
  return `${safe.slice(0, lengthMax - mark.length - 1)}_${mark}`;
}

/** The tool name as the target may see it. */
export function toolNameFor(name: string, lengthMax: number): string {
  return fitting(name, lengthMax);
}

/** The caller's own name for a tool that was named by `toolNameFor`. */
export function callersToolName(name: string, declared: ReadonlySet<string>, lengthMax: number): string {
  if (declared.has(name)) return name;
  for (const original of declared) {
    if (fitting(original, lengthMax) === name) return original;
  }
  return name;
}

/** A call id that every dialect takes. */
export function toolIdFor(id: string): string {
  return fitting(id, toolIdLengthMax);
}

/**
 * Gives calls ids that are unique within a conversation, and results the id of the call they answer: the latest one
 * that had their id. Some servers number the calls of every answer from zero.
 */
export class ToolIds {
  readonly #current = new Map<string, string>();
  readonly #used = new Set<string>();

  forCall(id: string): string {
    const safe = toolIdFor(id);
    let unique = safe;
    for (let copy = 2; this.#used.has(unique); copy += 1) unique = toolIdFor(`${safe}_${copy}`);
    this.#used.add(unique);
    this.#current.set(id, unique);
    return unique;
  }

  forResult(id: string): string {
    return this.#current.get(id) ?? toolIdFor(id);
  }
}
