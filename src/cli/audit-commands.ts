/** `breakwater audit verify | checkpoint | proof | key | export | acknowledge | erase` */
import { once } from 'node:events';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';

import { notesIn, verifyExport, verifyProof } from '../../bin/verify-audit.js';
import type { ExportFinding } from '../../bin/verify-audit.js';
import { checkSignature, sha256 } from '../control/ledger-key.ts';
import { keyFromText, signedCheckpoint } from '../core/checkpoint.ts';
import { verifyStore } from '../store/verify.ts';
import { callAdmin, callAdminText, complain, show } from './client.ts';
import { printText, saveText } from './save.ts';
import { asOption, option, queryOf, textOption, usageError } from './command.ts';
import type { Call, Command, ExitCode } from './command.ts';
import { textOf } from './layout.ts';

type Verdict = {
  readonly size: number;
  readonly root: string;
  readonly erased: number;
  readonly checkpoints: number;
  readonly findings: readonly ExportFinding[];
};

const findingsShown = 50;

function showVerdict(call: Call, verdict: Verdict): ExitCode {
  const { size, root, erased, checkpoints, findings } = verdict;
  const holds = findings.length === 0;
  if (call.json) call.print(JSON.stringify({ holds, ...verdict }, null, 2));
  else {
    call.print(
      `${size} entries${erased === 0 ? '' : ` (${erased} erased)`}, ${checkpoints} checkpoints, root ${root}`,
    );
    for (const { problem, words, id } of findings.slice(0, findingsShown))
      call.print(`${problem}: ${words}${id === null ? '' : ` (${id})`}`);
    if (findings.length > findingsShown) call.print(`… and ${findings.length - findingsShown} more`);
    call.print(holds ? 'It holds.' : 'It does NOT hold.');
  }
  return holds ? 0 : 1;
}

const heldNotes = (call: Call): readonly string[] => {
  const path = textOption(call, 'checkpoint');
  return path === null ? [] : notesIn(readFileSync(path, 'utf8'));
};

const defaultPath = './data/breakwater.db';
const defaultStore = `sqlite:${defaultPath}`;

/** What a running server exports, verified here as it comes: nothing is believed of it but its bytes. */
async function verifyServer(call: Call): Promise<ExitCode> {
  if (call.options['rows'] === true)
    return usageError(call, '--rows needs the file itself: name it with --store sqlite:PATH.');
  const pipe = new PassThrough();
  const known = { key: textOption(call, 'key'), held: heldNotes(call) };
  const verdict = verifyExport(createInterface({ input: pipe }), known).catch((error: unknown) => error);
  const take = async (piece: Uint8Array): Promise<void> => {
    if (!pipe.write(piece)) await once(pipe, 'drain');
  };
  const reply = await callAdminText(call, 'audit/export', { name: 'the verifier', take });
  pipe.end();
  if (!reply.ok) {
    if (reply.exit === 3 && !call.json)
      call.complain(`There is no store at ${defaultPath}. Name one with --store.`);
    return complain(call, reply);
  }
  const found = await verdict;
  if (found instanceof Error) throw found;
  return showVerdict(call, found as Verdict);
}

function verifyFile(call: Call): ExitCode | Promise<ExitCode> {
  const given = textOption(call, 'store');
  const path = /^sqlite:(.+)$/s.exec(given ?? defaultStore)?.[1];
  if (path === undefined) return usageError(call, 'The store is not understood. Use sqlite:PATH.');
  if (given === null && !existsSync(path)) return verifyServer(call);
  if (!existsSync(path)) {
    call.complain(`There is no store at ${path}. Name it with --store sqlite:PATH.`);
    return 1;
  }
  const beside = `${path}.checkpoint`;
  const notes = [...heldNotes(call), ...(existsSync(beside) ? [readFileSync(beside, 'utf8')] : [])];
  let shown = 0;
  const onProgress = (entries: number): void => {
    if (call.json || entries - shown < progressEvery) return;
    shown = entries;
    call.complain(`${entries} entries …`);
  };
  const isSigned = signedBy(textOption(call, 'key'));
  const rows = call.options['rows'] === true;
  return showVerdict(call, held(verifyStore(path, { notes, isSigned, rows, onProgress })));
}

/** Whether the key that somebody was given signed a note. Throws where it is no key. */
function signedBy(text: string | null): ((note: string) => boolean) | null {
  if (text === null) return null;
  const key = keyFromText(sha256, text);
  if (key === null) throw new Error(`--key is no key of a ledger: ${text}`);
  return (note) => typeof signedCheckpoint(sha256, note, key, checkSignature) === 'object';
}

/** Entries without any checkpoint are what somebody wrote, and nothing more is known of them. */
function held(verdict: Verdict): Verdict {
  const { size, checkpoints, findings } = verdict;
  if (size === 0 || checkpoints > 0) return verdict;
  const words = 'no checkpoint holds these entries: those that were kept are gone, or none was ever signed';
  const missing = { problem: 'checkpoint_missing', from: 0, to: size - 1, id: null, words };
  return { ...verdict, findings: [...findings, missing] };
}

const progressEvery = 1_000_000;

async function verify(call: Call): Promise<ExitCode> {
  const path = textOption(call, 'export');
  const proof = textOption(call, 'proof');
  try {
    if (proof !== null) return verifyProofFile(call, proof);
    if (path === null) return await verifyFile(call);
    const lines = createInterface({ input: createReadStream(path) });
    return showVerdict(
      call,
      await verifyExport(lines, { key: textOption(call, 'key'), held: heldNotes(call) }),
    );
  } catch (error) {
    call.complain(troubleWords(error));
    return 1;
  }
}

/** Files that are named and not there are the usual trouble. */
function troubleWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && 'path' in error
    ? `${String(error.path)} cannot be read (${String(error.code)}). Is the path right?`
    : error.message;
}

function verifyProofFile(call: Call, path: string): ExitCode {
  const key = textOption(call, 'key');
  if (key === null)
    return usageError(call, 'A proof is verified with a key that you have from elsewhere: --key');
  const proof = verifyProof(readFileSync(path, 'utf8'), key);
  if (call.json) call.print(JSON.stringify(proof, null, 2));
  else call.print(`${proof.holds ? 'It holds' : 'It does NOT hold'}: ${proof.words}.`);
  return proof.holds ? 0 : 1;
}

/** Text from the API, printed or written to a file. */
async function fetchText(call: Call, path: string): Promise<ExitCode> {
  const out = textOption(call, 'out');
  if (out !== null) return saveText(call, path, out);
  const reply = await callAdminText(call, path);
  if (!reply.ok) return complain(call, reply);
  call.print(call.json ? JSON.stringify({ text: reply.text }) : reply.text.trimEnd());
  return 0;
}

async function proof(call: Call): Promise<ExitCode> {
  const [id] = call.words;
  return id === undefined
    ? usageError(call, 'Name a record or a change: breakwater audit proof req_…')
    : fetchText(call, `audit/proof/${encodeURIComponent(id)}`);
}

function exportAll(call: Call): Promise<ExitCode> {
  const out = textOption(call, 'out');
  const query = queryOf(call, ['format']);
  const path = `audit/export${query}`;
  if (out === null) return printText(call, path);
  return saveText(call, path, out, query === '' ? ` Verify it with: node bin/verify-audit.js ${out}` : '');
}

async function key(call: Call): Promise<ExitCode> {
  return show(call, await callAdmin(call, 'GET', 'audit'), (value) => textOf(value['key']));
}

async function acknowledge(call: Call): Promise<ExitCode> {
  const reason = textOption(call, 'reason');
  if (reason === null) return usageError(call, 'Say why: --reason "…"');
  return show(call, await callAdmin(call, 'POST', 'audit/acknowledge', { reason }), (value) =>
    textOf(value['words']),
  );
}

async function erase(call: Call): Promise<ExitCode> {
  const user = textOption(call, 'user');
  const reason = textOption(call, 'reason');
  if (user === null || reason === null)
    return usageError(call, 'Name the user and say why: --user NAME --reason "…"');
  return show(
    call,
    await callAdmin(call, 'POST', 'audit/erase', { user, reason }),
    (value) =>
      `${textOf(value['records'])} records erased; their leaves stay in the ledger. Captured contents made unreadable: ${textOf(value['contents'])}.`,
  );
}

const out = option('FILE', 'write it there');
const checkpointOption = option('FILE', 'hold it against checkpoints that you kept elsewhere');
const keyOption = option('VKEY', 'the key of the ledger, as you have it from elsewhere');
const reasonOption = option('TEXT', 'why; kept in the changes');

export const auditCommands: readonly Command[] = [
  {
    name: 'audit verify',
    usage: '',
    wordsMax: 0,
    summary: 'Whether the ledger is what was signed, and where it is not',
    options: {
      store: option('ADDRESS', `the store to read; default ${defaultStore}, or else the running server`),
      export: option('FILE', 'an export instead'),
      proof: option('FILE', 'a proof of one entry instead'),
      checkpoint: checkpointOption,
      key: keyOption,
      rows: { type: 'boolean', help: 'compare what is searched with what is written, too' },
    },
    run: verify,
  },
  {
    name: 'audit checkpoint',
    usage: '',
    wordsMax: 0,
    summary: 'Sign the ledger as it is now',
    options: { out },
    run: (call) => fetchText(call, 'audit/checkpoint'),
  },
  {
    name: 'audit proof',
    usage: 'req_… | chg_…',
    wordsMax: 1,
    summary: 'That a record or a change is in the ledger, to be verified without us',
    options: { out },
    run: proof,
  },
  {
    name: 'audit key',
    usage: '',
    wordsMax: 0,
    summary: 'The public key of the ledger, for whoever will verify it',
    options: {},
    run: key,
  },
  {
    name: 'audit export',
    usage: '',
    wordsMax: 0,
    summary: 'Everything, to be verified without us',
    options: {
      out,
      format: option('WORD', 'ndjson, to be verified; or the records as csv | ocsf | cloudevents'),
    },
    run: exportAll,
  },
  {
    name: 'audit acknowledge',
    usage: '',
    wordsMax: 0,
    summary: 'Go on with a ledger that is not the one that was signed',
    options: { reason: reasonOption, as: asOption },
    run: acknowledge,
  },
  {
    name: 'audit erase',
    usage: '',
    wordsMax: 0,
    summary: 'Erase every record of one user, and what was captured',
    options: {
      user: option('NAME', 'as it was sent in x-breakwater-user'),
      reason: reasonOption,
      as: asOption,
    },
    run: erase,
  },
];
