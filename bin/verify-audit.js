#!/usr/bin/env node
// Verifies what Breakwater exported, without Breakwater: plain Node 20 or newer, no dependencies, no network. Copy this
// one file to wherever you trust, and read it: it is meant to be read.
//
//   node verify-audit.js export.ndjson [--key VKEY] [--checkpoint held-elsewhere.txt]...
//   node verify-audit.js req_….tlog-proof [--key VKEY]
//
// An export is one JSON object a line: a head, every entry of the ledger, every checkpoint that is known. A proof is a
// c2sp.org/tlog-proof. Leaves and nodes are hashed as in RFC 6962; checkpoints are signed notes (c2sp.org/signed-note,
// Ed25519). The key in an export is the exporter's own word: compare it with one that you were given another way (--key),
// and use checkpoints that you hold yourself (--checkpoint), for only those were out of the exporter's hands.
// Exit code: 0 it holds, 1 it does not, 2 it could not be read.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { closeSync, createReadStream, openSync, readFileSync, readSync, realpathSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const leafHash = (text) => sha256(Buffer.of(0), Buffer.from(text));
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);

/** A key as text, `name+id+base64(0x01, 32 bytes)`. */
export function readKey(text) {
  const [name, id, ...rest] = text.trim().split('+');
  const bytes = Buffer.from(rest.join('+'), 'base64');
  const own = sha256(`${name}\n`, bytes).subarray(0, 4).toString('hex');
  if (bytes.length !== 33 || bytes[0] !== 1 || own !== id) throw new Error(`this is no key: ${text}`);
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), bytes.subarray(1)]);
  return { name, id, publicKey: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}

/** A signed note over a checkpoint: its parts, and whether the key signed it. */
export function readCheckpoint(note, key) {
  const split = note.lastIndexOf('\n\n');
  const text = note.slice(0, split + 1);
  const [origin, size, root] = text.split('\n');
  if (split < 0 || !/^(0|[1-9][0-9]{0,15})$/.test(size ?? '')) throw new Error('this is no checkpoint');
  const signed = note
    .slice(split + 2)
    .split('\n')
    .filter((line) => line.startsWith(`— ${key.name} `))
    .map((line) => Buffer.from(line.slice(`— ${key.name} `.length), 'base64'))
    .filter((bytes) => bytes.subarray(0, 4).toString('hex') === key.id);
  const isBy = (bytes) => verify(null, Buffer.from(text), key.publicKey, bytes.subarray(4));
  const isSigned = signed.length > 0 && signed.every(isBy);
  return { origin, size: Number(size), root: Buffer.from(root, 'base64'), isSigned };
}

/** The right edge of the tree: one hash for each full subtree, largest first. */
class Tree {
  edge = [];
  size = 0;

  add(hash) {
    let carried = hash;
    for (let bit = 1; Math.floor(this.size / bit) % 2 === 1; bit *= 2)
      carried = nodeHash(this.edge.pop(), carried);
    this.edge.push(carried);
    this.size++;
  }

  root() {
    return this.size === 0 ? sha256() : this.edge.reduceRight((right, left) => nodeHash(left, right));
  }
}

/** What the work gives; null where it throws. */
function orNull(work) {
  try {
    return work();
  } catch {
    return null;
  }
}
const parsed = (line) => orNull(() => JSON.parse(line));
const idOf = (entry) => parsed(entry)?.id ?? null;

const isNoteLine = (value) => typeof value?.checkpoint === 'string';
const isEntryLine = (value) =>
  value?.index !== undefined &&
  /^[\da-f]{64}$/.test(value.hash) &&
  (value.entry === null || typeof value.entry === 'string');

/** The leaves that an entry says were erased; only one of an erasure says it. */
function leavesErased(entry) {
  if (!/"kind":"records\.(expired|erased)"/.test(entry)) return [];
  const { kind, after } = parsed(entry) ?? {};
  return kind === 'records.expired' || kind === 'records.erased' ? (after?.leaves ?? []) : [];
}

/** Erased entries that no entry accounts for. */
function unrecorded(erased, recorded) {
  const ranges = [...recorded].sort(([one], [other]) => one - other);
  return erased.flatMap(([from, to]) => {
    let at = from;
    for (const [start, end] of ranges) if (start <= at && end >= at) at = end + 1;
    return at <= to ? [[at, to]] : [];
  });
}

/** Checkpoints that the key signed, by size: those that were held elsewhere, and those of the export. */
class Notes {
  roots = new Map();
  largest = 0;
  findings = [];

  constructor(key, held) {
    this.key = key;
    for (const text of held) this.read(text, 'that was held elsewhere');
  }

  /** The checkpoint, or null with a finding. */
  read(text, whose) {
    const checkpoint = orNull(() => readCheckpoint(text, this.key));
    const size = checkpoint?.size ?? 0;
    if (checkpoint?.isSigned === true) {
      this.roots.set(size, [...this.of(size), checkpoint.root]);
      this.largest = Math.max(this.largest, size);
      return checkpoint;
    }
    const what =
      checkpoint === null ? 'cannot be read' : `over ${size} entries is not signed by ${this.key.name}`;
    const words = `a checkpoint ${whose} ${what}`;
    const to = Math.max(0, size - 1);
    this.findings.push({ problem: 'checkpoint_unsigned', from: 0, to, id: null, words });
    return null;
  }

  of(size) {
    return this.roots.get(size) ?? [];
  }
}

/** Entries missing from an export that are counted one by one; of a place beyond them it is only said that it is not there. */
const missingMax = 10_000_000;

/** Entries in an order, held against checkpoints on the way. */
class Reading {
  findings = [];
  tree = new Tree();
  erased = [];
  recorded = [];
  missing = 0;
  /** The largest size at which the tree was the one that was signed; the same before the last entry; where it was compared at all. */
  soundTo = 0;
  soundBefore = 0;
  heldTo = 0;
  forked = false;

  constructor(notes) {
    this.notes = notes;
  }

  copy() {
    const { findings, tree, erased, recorded } = this;
    return Object.assign(new Reading(this.notes), this, {
      findings: [...findings],
      tree: Object.assign(new Tree(), { edge: [...tree.edge], size: tree.size }),
      erased: erased.map((range) => [...range]),
      recorded: [...recorded],
    });
  }

  find(problem, from, to, words, id = null) {
    this.findings.push({ problem, from, to, id, words });
  }

  unreadable(line, at = this.tree.size) {
    const words = `line ${line} cannot be read: entry ${at} should be there or behind it`;
    this.find('entry_changed', at, at, words);
  }

  entry(index, hash, entry) {
    const { tree } = this;
    const isFar = this.missing + index - tree.size > missingMax;
    if (index < tree.size || isFar) {
      const where = isFar
        ? `far behind the last of the others, ${tree.size - 1}`
        : 'there twice, or out of its place';
      return this.find('entries_reordered', index, index, `entry ${index} is ${where}`);
    }
    if (index > tree.size) {
      const words = `entries ${tree.size} to ${index - 1} are not there`;
      this.find('entries_missing', tree.size, index - 1, words);
      this.missing += index - tree.size;
      while (tree.size < index) this.leaf(Buffer.alloc(32));
    }
    if (entry === null) this.erase(index);
    else if (leafHash(entry).toString('hex') === hash) this.recorded.push(...leavesErased(entry));
    else {
      this.find('entry_changed', index, index, `entry ${index} is not the one that was written`, idOf(entry));
    }
    this.leaf(Buffer.from(hash, 'hex'));
    return undefined;
  }

  erase(index) {
    const last = this.erased.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else this.erased.push([index, index]);
  }

  leaf(hash) {
    this.soundBefore = this.soundTo;
    this.tree.add(hash);
    for (const root of this.notes.of(this.tree.size)) this.compare(root);
  }

  compare(root) {
    const { tree, soundBefore } = this;
    this.heldTo = tree.size;
    if (tree.root().equals(root)) this.soundTo = tree.size;
    else if (!this.forked) {
      this.forked = true;
      const words = `the checkpoint over ${tree.size} entries is of another ledger: something from entry ${soundBefore} to ${tree.size - 1} is not what was signed`;
      this.find('forked', soundBefore, tree.size - 1, words);
    }
  }

  end() {
    const { tree, heldTo } = this;
    const { largest, roots } = this.notes;
    if (largest > tree.size) {
      const words = `entries ${tree.size} to ${largest - 1} are gone: a checkpoint was signed over ${largest}`;
      this.find('truncated', tree.size, largest - 1, words);
    } else if (heldTo < tree.size || roots.size === 0) {
      const which = heldTo === 0 ? 'no entry' : `no entry from ${heldTo} on`;
      const words = `${which} is held by a signed checkpoint that stands before it or right behind it`;
      this.find('checkpoint_missing', heldTo, Math.max(heldTo, tree.size - 1), words);
    }
    for (const [from, to] of unrecorded(this.erased, this.recorded))
      this.find('erased_unrecorded', from, to, `entries ${from} to ${to} were erased, and no entry says so`);
  }
}

/**
 * The lines of an export behind its head. Entries are read by their numbers; from where a number is not that of its line,
 * they are read by their lines as well, and what more checkpoints agree with is believed.
 */
class Export {
  misnumbered = null;

  constructor(key, held) {
    this.notes = new Notes(key, held);
    this.readings = [new Reading(this.notes)];
  }

  note(text) {
    const checkpoint = this.notes.read(text, 'of the export');
    for (const reading of this.readings)
      if (checkpoint?.size === reading.tree.size) reading.compare(checkpoint.root);
  }

  entry({ index, hash, entry }, line) {
    const { readings } = this;
    const place = readings.at(-1).tree.size;
    if (index !== place) {
      if (readings.length === 1) readings.push(readings[0].copy());
      this.misnumbered = [this.misnumbered?.[0] ?? place, place];
    }
    const [byNumber, byLine] = readings;
    if (Number.isSafeInteger(index) && index >= 0) byNumber.entry(index, hash, entry);
    else byNumber.unreadable(line);
    byLine?.entry(place, hash, entry);
  }

  unreadable(line) {
    for (const reading of this.readings) reading.unreadable(line);
  }

  end(origin) {
    const [byNumber, byLine = byNumber] = this.readings;
    const isByLine = byLine.soundTo > byNumber.soundTo;
    const reading = isByLine ? byLine : byNumber;
    const findings = [...this.notes.findings];
    if (isByLine) {
      const [from, to] = this.misnumbered;
      const words = `entries ${from} to ${to} carry other numbers than theirs; in the order of their lines they are what was signed up to entry ${reading.soundTo - 1}`;
      findings.push({ problem: 'entries_reordered', from, to, id: null, words });
    }
    reading.end();
    return {
      origin,
      size: reading.tree.size,
      root: reading.tree.root().toString('hex'),
      erased: reading.erased.reduce((sum, [from, to]) => sum + to - from + 1, 0),
      checkpoints: this.notes.roots.size,
      findings: [...findings, ...reading.findings],
    };
  }
}

/** Verifies the lines of an export. `held` are checkpoints that were kept elsewhere. */
export async function verifyExport(lines, { key = null, held = [] } = {}) {
  let head = null;
  let read = null;
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line === '') continue;
    const value = parsed(line);
    if (read === null) {
      head = value;
      if (head?.format !== 'breakwater-export/1') throw new Error('this is not an export of a ledger');
      read = new Export(readKey(key ?? head.key), held);
    } else if (isNoteLine(value)) read.note(value.checkpoint);
    else if (isEntryLine(value)) read.entry(value, number);
    else read.unreadable(number);
  }
  if (read === null) throw new Error('this is empty');
  return read.end(head.origin);
}

const proofVersion = 'c2sp.org/tlog-proof@v1';

/** Verifies a c2sp.org/tlog-proof whose `extra` is the entry. */
export function verifyProof(text, keyText) {
  const split = text.indexOf('\n\n');
  const [version, ...lines] = text.slice(0, split).split('\n');
  const extra = lines[0]?.startsWith('extra ') ? Buffer.from(lines.shift().slice(6), 'base64') : null;
  const index = Number(/^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift())?.[1] ?? NaN);
  if (version !== proofVersion || split < 0 || Number.isNaN(index)) throw new Error('this is no proof');
  const checkpoint = readCheckpoint(text.slice(split + 2), readKey(keyText));
  const { size, isSigned, origin, root } = checkpoint;
  const told = (holds, words) => ({ holds, index, size, entry: extra?.toString() ?? null, words });
  if (extra === null) return told(false, 'the entry was erased: only that something was there can be shown');
  let [at, last, hash] = [index, size - 1, sha256(Buffer.of(0), extra)];
  for (const step of lines.map((line) => Buffer.from(line, 'base64'))) {
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(step, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else hash = nodeHash(hash, step);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  if (!isSigned) return told(false, 'the checkpoint is not signed by this key');
  return index < size && last === 0 && hash.equals(root)
    ? told(true, `entry ${index} is in the ledger ${origin} of ${size} entries, as its key signed it`)
    : told(false, 'the entry does not lead to the root that was signed');
}

/** Checkpoints in a file, one after the other, each ending in its signatures. A file without one is not what was meant. */
export function notesIn(text) {
  const notes = text.match(/[^\n]+\n[0-9]+\n(?:[^\n]+\n)+\n(?:— [^\n]+\n)+/g);
  if (notes === null) throw new Error('there is no checkpoint in the file that was given as one');
  return notes;
}

function optionsOf(words) {
  const options = { files: [], key: null, held: [] };
  for (let at = 0; at < words.length; at++) {
    if (words[at] === '--key') options.key = words[++at];
    else if (words[at] === '--checkpoint') options.held.push(...notesIn(readFileSync(words[++at], 'utf8')));
    else options.files.push(words[at]);
  }
  return options;
}

/** Whatever it is called: a proof says what it is in its first line. */
function isProof(file) {
  const start = Buffer.alloc(proofVersion.length);
  const opened = openSync(file, 'r');
  readSync(opened, start, 0, start.length, 0);
  closeSync(opened);
  return start.toString() === proofVersion;
}

const unprovenKey = 'The key is the one that the export names. To rely on it, give one from elsewhere: --key';

async function main(words) {
  const { files, key, held } = optionsOf(words);
  if (files.length !== 1) throw new Error('usage: verify-audit.js FILE [--key VKEY] [--checkpoint FILE]...');
  const [file] = files;
  if (isProof(file)) {
    if (key === null)
      throw new Error('a proof is verified with a key that you have from elsewhere: --key VKEY');
    const proof = verifyProof(readFileSync(file, 'utf8'), key);
    console.log(`${proof.holds ? 'It holds' : 'It does NOT hold'}: ${proof.words}.`);
    if (proof.holds) console.log(JSON.stringify(JSON.parse(proof.entry), null, 2));
    return proof.holds ? 0 : 1;
  }
  const result = await verifyExport(createInterface({ input: createReadStream(file) }), { key, held });
  const { size, erased, checkpoints, root, findings } = result;
  console.log(`${size} entries (${erased} erased), ${checkpoints} checkpoints, root ${root}`);
  for (const { problem, words, id } of findings) console.log(`${problem}: ${words}${id ? ` (${id})` : ''}`);
  if (key === null) console.log(unprovenKey);
  console.log(findings.length === 0 ? 'It holds.' : 'It does NOT hold.');
  return findings.length === 0 ? 0 : 1;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).then(
    (code) => process.exit(code),
    (error) => {
      console.error(error.message);
      process.exit(2);
    },
  );
}
