/** The id in the text of an entry, found without reading the rest. */
import { idBytes } from './run-rows.ts';

/** Where the id begins, behind `{"salt":"` and 32 digits and `","id":"`, always. */
const idAt = 50;
const idBytesMax = 64;

/** The id in the text of an entry; null when it does not begin as every entry does. */
export function idIn(input: Uint8Array): string | null {
  const text = Buffer.from(input.buffer, input.byteOffset, input.length).toString(
    'latin1',
    1,
    idAt + idBytesMax,
  );
  const end = text.indexOf('"', idAt - 1);
  return text.startsWith('{"salt":"') && text.startsWith('","id":"', idAt - 9) && end > 0
    ? text.slice(idAt - 1, end)
    : null;
}

/** Whether an id is the one at a place. */
export function isIdAt(id: string, ids: Uint8Array, place: number): boolean {
  let nibble = 0;
  for (let at = 4; at < id.length; at++) {
    const code = id.codePointAt(at) ?? 0;
    if (code === 45) continue;
    const byte = ids[place * idBytes + (nibble >> 1)] ?? 0;
    const kept = nibble % 2 === 0 ? byte >> 4 : byte & 15;
    if (kept !== (code < 58 ? code - 48 : code - 87)) return false;
    nibble++;
  }
  return nibble === idBytes * 2;
}
