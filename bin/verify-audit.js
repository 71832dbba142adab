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
  const isSigned =
    signed.length > 0 &&
    signed.every((bytes) => verify(null, Buffer.from(text), key.publicKey, bytes.subarray(4)));
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
    if (this.size === 0) return sha256();
    return this.edge.reduceRight((right, left) => nodeHash(left, right));
  }
}

const noteOf = (text, key) => {
  try {
    return readCheckpoint(text, key);
  } catch {
    return null;
  }
};

const parsed = (line) => {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
};
const idOf = (entry) => parsed(entry)?.id ?? null;

const isNoteLine = (value) => typeof value?.checkpoint === 'string';
const isEntryLine = (value) =>
  Number.isSafeInteger(value?.index) &&
  value.index >= 0 &&
  /^[\da-f]{64}$/.test(value.hash) &&
  (value.entry === null || typeof value.entry === 'string');

/** Entries missing at one place that are counted one by one; of a place beyond them it is only said that it is not there. */
const gapMax = 10_000_000;

/** Erased entries that no entry accounts for. */
function unrecorded(erased, recorded) {
  const ranges = [...recorded].sort(([one], [other]) => one - other);
  return erased.flatMap(([from, to]) => {
    let at = from;
    for (const [start, end] of ranges) if (start <= at && end >= at) at = end + 1;
    return at <= to ? [[at, to]] : [];
  });
}

/** One reading of an export, line by line: the head, then checkpoints, then entries in their order. */
class Reading {
  findings = [];
  tree = new Tree();
  erased = [];
  recorded = [];
  /** Checkpoints by size. */
  notes = new Map();
  unsigned = 0;
  soundTo = 0;
  forked = false;

  constructor(head, keyText, held) {
    if (head?.format !== 'breakwater-export/1') throw new Error('this is not an export of a ledger');
    this.key = readKey(keyText ?? head.key);
    for (const note of held) this.note(note, true);
  }

  find(problem, from, to, words, id = null) {
    this.findings.push({ problem, from, to, id, words });
  }

  /** A line that is neither an entry nor a checkpoint any more. */
  unreadable(line) {
    const at = this.tree.size;
    this.find(
      'entry_changed',
      at,
      at,
      `line ${line} cannot be read: entry ${at} should be there or behind it`,
    );
  }

  note(text, isHeld) {
    const whose = isHeld ? 'that was held elsewhere' : 'of the export';
    const checkpoint = noteOf(text, this.key);
    if (checkpoint === null) {
      this.find('checkpoint_unsigned', 0, 0, `a checkpoint ${whose} cannot be read`);
      return;
    }
    if (!checkpoint.isSigned) {
      this.find(
        'checkpoint_unsigned',
        0,
        checkpoint.size - 1,
        `a checkpoint ${whose}, over ${checkpoint.size} entries, is not signed by ${this.key.name}`,
      );
      return;
    }
    this.notes.set(checkpoint.size, [...(this.notes.get(checkpoint.size) ?? []), checkpoint.root]);
  }

  entry({ index, hash, entry }) {
    const { tree } = this;
    if (index < tree.size) {
      this.find('entries_reordered', index, index, `entry ${index} is there twice, or out of its place`);
      return;
    }
    if (index > tree.size + gapMax) {
      this.find(
        'entries_reordered',
        index,
        index,
        `entry ${index} is far behind the last of the others, ${tree.size - 1}`,
      );
      return;
    }
    if (index > tree.size) {
      this.find(
        'entries_missing',
        tree.size,
        index - 1,
        `entries ${tree.size} to ${index - 1} are not there`,
      );
      while (tree.size < index) this.leaf(Buffer.alloc(32));
    }
    if (entry === null) this.erase(index);
    else {
      if (leafHash(entry).toString('hex') !== hash)
        this.find(
          'entry_changed',
          index,
          index,
          `entry ${index} is not the one that was written`,
          idOf(entry),
        );
      else if (/"kind":"records\.(expired|erased)"/.test(entry))
        this.recorded.push(...(JSON.parse(entry).after?.leaves ?? []));
    }
    this.leaf(Buffer.from(hash, 'hex'));
  }

  erase(index) {
    const last = this.erased.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else this.erased.push([index, index]);
  }

  leaf(hash) {
    const { tree, notes } = this;
    tree.add(hash);
    for (const root of notes.get(tree.size) ?? []) {
      if (tree.root().equals(root)) this.soundTo = tree.size;
      else if (!this.forked) {
        this.forked = true;
        this.find(
          'forked',
          this.soundTo,
          tree.size - 1,
          `the checkpoint over ${tree.size} entries is of another ledger: something from entry ${this.soundTo} to ${tree.size - 1} is not what was signed`,
        );
      }
    }
  }

  end(head) {
    const { tree, notes } = this;
    const largest = Math.max(0, ...notes.keys());
    if (largest > tree.size)
      this.find(
        'truncated',
        tree.size,
        largest - 1,
        `entries ${tree.size} to ${largest - 1} are gone: a checkpoint was signed over ${largest}`,
      );
    if (notes.size === 0) this.find('checkpoint_unsigned', 0, tree.size, 'no checkpoint holds this ledger');
    for (const [from, to] of unrecorded(this.erased, this.recorded))
      this.find('erased_unrecorded', from, to, `entries ${from} to ${to} were erased, and no entry says so`);
    return {
      origin: head.origin,
      size: tree.size,
      root: tree.root().toString('hex'),
      erased: this.erased.reduce((sum, [from, to]) => sum + to - from + 1, 0),
      checkpoints: notes.size,
      findings: this.findings,
    };
  }
}

/** Verifies the lines of an export. `held` are checkpoints that were kept elsewhere. */
export async function verifyExport(lines, { key = null, held = [] } = {}) {
  let head = null;
  let reading = null;
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line === '') continue;
    const value = parsed(line);
    if (reading === null) {
      head = value;
      reading = new Reading(head, key, held);
    } else if (isNoteLine(value)) reading.note(value.checkpoint, false);
    else if (isEntryLine(value)) reading.entry(value);
    else reading.unreadable(number);
  }
  if (reading === null) throw new Error('this is empty');
  return reading.end(head);
}

const proofVersion = 'c2sp.org/tlog-proof@v1';

/** Verifies a c2sp.org/tlog-proof whose `extra` is the entry. */
export function verifyProof(text, keyText) {
  const split = text.indexOf('\n\n');
  const [version, ...lines] = text.slice(0, split).split('\n');
  if (version !== proofVersion) throw new Error('this is no proof');
  const extra = lines[0].startsWith('extra ') ? Buffer.from(lines.shift().slice(6), 'base64') : null;
  const index = Number(lines.shift().slice('index '.length));
  const checkpoint = readCheckpoint(text.slice(split + 2), readKey(keyText));
  if (extra === null)
    return {
      holds: false,
      index,
      size: checkpoint.size,
      entry: null,
      words: 'the entry was erased: only that something was there can be shown',
    };
  let [at, last, hash] = [index, checkpoint.size - 1, sha256(Buffer.of(0), extra)];
  for (const step of lines.map((line) => Buffer.from(line, 'base64'))) {
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(step, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else hash = nodeHash(hash, step);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  const isIncluded = index < checkpoint.size && last === 0 && hash.equals(checkpoint.root);
  const words = !checkpoint.isSigned
    ? 'the checkpoint is not signed by this key'
    : isIncluded
      ? `entry ${index} is in the ledger ${checkpoint.origin} of ${checkpoint.size} entries, as its key signed it`
      : 'the entry does not lead to the root that was signed';
  return {
    holds: isIncluded && checkpoint.isSigned,
    index,
    size: checkpoint.size,
    entry: extra.toString(),
    words,
  };
}

/** Checkpoints in a file, one after the other, each ending in its signatures. */
export function notesIn(text) {
  return text.match(/[^\n]+\n[0-9]+\n[^\n]+\n\n(?:— [^\n]+\n)+/g) ?? [];
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
  console.log(
    `${result.size} entries (${result.erased} erased), ${result.checkpoints} checkpoints, root ${result.root}`,
  );
  for (const finding of result.findings)
    console.log(`${finding.problem}: ${finding.words}${finding.id === null ? '' : ` (${finding.id})`}`);
  if (key === null)
    console.log(
      'The key is the one that the export names. To rely on it, give one that you have from elsewhere: --key',
    );
  console.log(result.findings.length === 0 ? 'It holds.' : 'It does NOT hold.');
  return result.findings.length === 0 ? 0 : 1;
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
