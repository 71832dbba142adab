/** The store on SQLite: hands each verb to the worker that owns the database and waits for its answer. */
import { instant } from '../core/ids.ts';
import type { KeptEntry } from './evidence-tables.ts';
import { consentFromRow, consentRow, spentFromRow, spentRow } from './policy-rows.ts';
import {
  entryBody,
  entryFromBody,
  hitCountFromRow,
  hitFromRow,
  hitRow,
  incidentBody,
  incidentFromBody,
} from './incident-rows.ts';
import type { IncidentRowWrite } from './incident-tables.ts';
import type { Switch } from '../core/switches.ts';
import type { SqliteDatabase, SwitchRow } from './database.ts';
import { runFromBody, runRow } from './playbook-rows.ts';
import { holdVerbs } from './hold-verbs.ts';
import { Packed, packed, Packing } from './packed-records.ts';
import {
  changeFromEntry,
  changeRow,
  deliveryFromBody,
  deliveryRow,
  gateFromRow,
  gateRow,
  keyBody,
  keyFromBody,
  messageBody,
  messageFromBody,
  recordFromEntry,
  statusFromRow,
  statusRow,
  switchBody,
  switchFromBody,
} from './rows.ts';
import type { IncidentWrite, KeptRecord, PackedRecords, Store } from './store.ts';
import type { WordTable } from './words.ts';
import type { WorkerClient } from './worker-client.ts';

export type Client = WorkerClient<SqliteDatabase>;

const tokenSetting = 'admin_token_hash';
const fingerprintSetting = 'fingerprint_key';

const randomKey = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex');

const keptRecord = ({ text, index, hash }: KeptEntry): KeptRecord => ({
  ...recordFromEntry(text),
  leaf: { index, hash },
});

type ToldVerb =
  | 'saveStatus'
  | 'loadStatus'
  | 'pruneStatus'
  | 'loadOutbox'
  | 'planDeliveries'
  | 'loadDueChannels'
  | 'loadDueDeliveries'
  | 'saveDelivery'
  | 'insertMessage'
  | 'loadMessages'
  | 'findDelivery'
  | 'listDeliveries'
  | 'pruneDeliveries';

/** How features were, and who is told of what. */
function toldVerbs(client: Client): Pick<Store, ToldVerb> {
  return {
    saveStatus: (intervals) => client.call('saveStatus', intervals.map(statusRow)),
    loadStatus: async (since, intervalsMax) =>
      (await client.call('loadStatus', since, intervalsMax)).map(statusFromRow),
    pruneStatus: (before) => client.call('pruneStatus', before),
    loadOutbox: async (changesMax) =>
      (await client.call('loadOutbox', changesMax)).map(({ text }) => changeFromEntry(text)),
    planDeliveries: (changes, deliveries) =>
      client.call('planDeliveries', changes, deliveries.map(deliveryRow)),
    loadDueChannels: (now) => client.call('loadDueChannels', now),
    loadDueDeliveries: async (channel, now, deliveriesMax) =>
      (await client.call('loadDueDeliveries', channel, now, deliveriesMax)).map(deliveryFromBody),
    saveDelivery: (delivery, change) =>
      client.call('saveDelivery', deliveryRow(delivery), change === null ? null : changeRow(change)),
    insertMessage: (message, change) =>
      client.call('insertMessage', message.id, message.incident, messageBody(message), changeRow(change)),
    loadMessages: async (incident) => (await client.call('loadMessages', incident)).map(messageFromBody),
    findDelivery: async (id) => {
      const body = await client.call('findDelivery', id);
      return body === null ? null : deliveryFromBody(body);
    },
    listDeliveries: async (filter) => {
      const page = await client.call('listDeliveries', filter);
      return { ...page, items: page.items.map(deliveryFromBody) };
    },
    pruneDeliveries: (before) => client.call('pruneDeliveries', before),
  };
}

type PolicyVerb = 'saveConsent' | 'loadConsents' | 'pruneConsents' | 'saveSpending' | 'loadSpending';

/** What policy must remember. */
function policyVerbs(client: Client): Pick<Store, PolicyVerb> {
  return {
    saveConsent: (entry) => client.call('saveConsent', consentRow(entry)),
    loadConsents: async (now) => (await client.call('loadConsents', now)).map(consentFromRow),
    pruneConsents: (now) => client.call('pruneConsents', now),
    saveSpending: (spent) => client.call('saveSpending', spent.map(spentRow)),
    loadSpending: async () => (await client.call('loadSpending')).map(spentFromRow),
  };
}

const incidentRow = ({ incident, entries, from, takes }: IncidentWrite): IncidentRowWrite => ({
  id: incident.id,
  rev: incident.rev,
  from,
  state: incident.state,
  body: incidentBody(incident),
  entries: entries.map((entry) => ({ n: entry.n, body: entryBody(entry) })),
  takes: takes ?? null,
});

type IncidentVerb =
  | 'saveIncidents'
  | 'findIncident'
  | 'listIncidents'
  | 'timeline'
  | 'addHits'
  | 'listHits'
  | 'countHits'
  | 'hitLines'
  | 'incidentsOf';

/** Incidents, their timelines and their requests. */
function incidentVerbs(client: Client): Pick<Store, IncidentVerb> {
  return {
    saveIncidents: (writes, change) =>
      client.call('saveIncidents', writes.map(incidentRow), changeRow(change)),
    findIncident: async (id) => {
      const body = await client.call('findIncident', id);
      return body === null ? null : incidentFromBody(body);
    },
    listIncidents: async (states, cursor, limit) => {
      const page = await client.call('listIncidents', states, cursor, limit);
      return { ...page, items: page.items.map(incidentFromBody) };
    },
    timeline: async (id) => (await client.call('timeline', id)).map(entryFromBody),
    addHits: (hits) => client.call('addHits', hits.map(hitRow)),
    listHits: async (id, filter, cursor, limit) => {
      const page = await client.call('listHits', id, filter, cursor, limit);
      return { ...page, items: page.items.map(hitFromRow) };
    },
    countHits: async (id) => (await client.call('countHits', id)).map(hitCountFromRow),
    hitLines: (id, after) => client.call('hitLines', id, after),
    incidentsOf: async (requests) => {
      const found = new Map<string, string[]>();
      for (const { request, incident } of await client.call('incidentsOf', requests))
        found.set(request, [...(found.get(request) ?? []), incident]);
      return found;
    },
  };
}

const switchRow = (entry: Switch): SwitchRow => ({
  id: entry.id,
  rev: entry.rev,
  released: entry.release === null ? 0 : 1,
  body: switchBody(entry),
});

type PlaybookVerb =
  | 'saveRun'
  | 'loadRuns'
  | 'findRun'
  | 'listRuns'
  | 'loadPlaybooks'
  | 'savePlaybook'
  | 'removePlaybook';

function playbookVerbs(client: Client): Pick<Store, PlaybookVerb> {
  return {
    saveRun: ({ run, changes, made, released }) =>
      client.call('saveRun', runRow(run), changes.map(changeRow), [...made, ...released].map(switchRow)),
    loadRuns: async () => (await client.call('loadRuns')).map(runFromBody),
    findRun: async (id) => {
      const body = await client.call('findRun', id);
      return body === null ? null : runFromBody(body);
    },
    listRuns: async (playbook, cursor, limit) => {
      const page = await client.call('listRuns', playbook, cursor, limit);
      return { ...page, items: page.items.map(runFromBody) };
    },
    loadPlaybooks: () => client.call('loadPlaybooks'),
    savePlaybook: (name, text, change) => client.call('savePlaybook', name, text, changeRow(change)),
    removePlaybook: (name, change) => client.call('removePlaybook', name, changeRow(change)),
  };
}

type LedgerVerb =
  | 'expire'
  | 'eraseUser'
  | 'treeHead'
  | 'rootAt'
  | 'leafOf'
  | 'leavesFrom'
  | 'inclusionPath'
  | 'consistencyPath'
  | 'saveCheckpoint'
  | 'loadCheckpoints'
  | 'loadStream'
  | 'saveStream'
  | 'mendLedger'
  | 'setReadOnly'
  | 'ledgerKey'
  | 'ledgerOrigin';

/** The tree over records and changes. */
function ledgerVerbs(client: Client): Pick<Store, LedgerVerb> {
  return {
    expire: (expiries, recordsMax, change) => client.call('expire', expiries, recordsMax, changeRow(change)),
    eraseUser: (user, change) => client.call('eraseUser', user, changeRow(change)),
    treeHead: () => client.call('treeHead'),
    rootAt: (size) => client.call('rootAt', size),
    leafOf: (id) => client.call('leafOf', id),
    leavesFrom: (from, leavesMax) => client.call('leavesFrom', from, leavesMax),
    inclusionPath: (index, size) => client.call('inclusionPath', index, size),
    consistencyPath: (from, to) => client.call('consistencyPath', from, to),
    saveCheckpoint: (checkpoint) => client.call('saveCheckpoint', checkpoint),
    loadStream: async (name) => {
      const row = await client.call('loadStream', name);
      return row === null ? null : { next: row.next, until: instant(row.until) };
    },
    saveStream: (name, { next, until }) => client.call('saveStream', name, next, until),
    loadCheckpoints: async (checkpointsMax) =>
      (await client.call('loadCheckpoints', checkpointsMax)).map((row) => ({ ...row, at: instant(row.at) })),
    mendLedger: () => client.call('mendLedger'),
    setReadOnly: (isReadOnly) => client.call('setReadOnly', isReadOnly),
    ledgerKey: (made) => client.call('settingOr', 'ledger_key', made),
    ledgerOrigin: (made) => client.call('settingOr', 'ledger_origin', made),
  };
}

function gateVerbs(client: Client): Pick<Store, 'saveGates' | 'loadGates' | 'saveCanaries' | 'loadCanaries'> {
  return {
    saveGates: (gates) => client.call('saveGates', gates.map(gateRow)),
    loadGates: async (since) => (await client.call('loadGates', since)).map(gateFromRow),
    saveCanaries: (canaries) => client.call('saveCanaries', canaries.map(gateRow)),
    loadCanaries: async (since) => (await client.call('loadCanaries', since)).map(gateFromRow),
  };
}

type RecordVerb = 'packRecords' | 'appendPacked' | 'appendRecords' | 'findRecord' | 'listRecords';

function recordVerbs(client: Client, words: WordTable): Pick<Store, RecordVerb> {
  const packing = new Packing(words);
  const write = (given: Packed, again: boolean): Promise<void> =>
    given.write(async () => {
      await client.call('appendRecords', given.batch, again, given.hits);
      words.saved(given.batch.words);
    });
  /** Made for this store and its words as they are, or kept already; made anew from the records otherwise. */
  const current = (given: PackedRecords): Packed =>
    given instanceof Packed && (given.isKept || given.batch.edition === words.edition)
      ? given
      : packed(given.records(), packing);
  return {
    packRecords: () => new Packing(words),
    appendPacked: async (given, again = false) => {
      if (given.count > 0) await write(current(given), again);
    },
    appendRecords: async (records, again = false) => {
      if (records.length > 0) await write(packed(records, packing), again);
    },
    findRecord: async (id) => {
      const entry = await client.call('findRecord', id);
      return entry === null ? null : keptRecord(entry);
    },
    listRecords: async (filter) => {
      const page = await client.call('listRecords', filter);
      return { ...page, items: page.items.map(keptRecord) };
    },
  };
}

export function storeOn(client: Client, words: WordTable): Store {
  return {
    ...recordVerbs(client, words),
    appendChange: (change) => client.call('appendChange', changeRow(change)),
    listChanges: async (cursor, limit, kinds) => {
      const page = await client.call('listChanges', cursor, limit, kinds ?? null);
      return { ...page, items: page.items.map(({ text }) => changeFromEntry(text)) };
    },
    insertSwitch: (entry, change) =>
      client.call('insertSwitch', entry.id, entry.rev, switchBody(entry), changeRow(change)),
    releaseSwitch: (entry, rev, change) =>
      client.call(
        'releaseSwitch',
        { id: entry.id, rev: entry.rev, body: switchBody(entry) },
        rev,
        changeRow(change),
      ),
    loadSwitches: async () => (await client.call('loadSwitches')).map(switchFromBody),
    findSwitch: async (id) => {
      const body = await client.call('findSwitch', id);
      return body === null ? null : switchFromBody(body);
    },
    insertKey: (key, change) => client.call('insertKey', key.id, key.hash, keyBody(key), changeRow(change)),
    revokeKey: async (id, at, change) => {
      const body = await client.call('findKey', id);
      return (
        body !== null &&
        client.call('revokeKey', id, at, keyBody({ ...keyFromBody(body), revokedAt: at }), changeRow(change))
      );
    },
    loadKeys: async () => (await client.call('loadKeys')).map(keyFromBody),
    adminTokenHash: () => client.call('setting', tokenSetting),
    setAdminTokenHash: (hash, change) => client.call('setSetting', tokenSetting, hash, changeRow(change)),
    fingerprintKey: () => client.call('settingOr', fingerprintSetting, randomKey()),
    saveSnapshot: (hash, text, at) => client.call('saveSnapshot', hash, text, at),
    findSnapshot: (hash) => client.call('findSnapshot', hash),
    ...toldVerbs(client),
    ...incidentVerbs(client),
    countRecords: (filter) => client.call('countRecords', filter),
    tallyRecords: (asked) => client.call('tallyRecords', asked),
    tallyTargets: (asked) => client.call('tallyTargets', asked),
    ...playbookVerbs(client),
    ...gateVerbs(client),
    ...policyVerbs(client),
    ...ledgerVerbs(client),
    ...holdVerbs(client),
    close: () => client.close(),
  };
}
