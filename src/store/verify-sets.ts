/** Holds the requests of reviewed incidents against the digest that the ledger has of them. */
import type { Database } from 'bun:sqlite';

type Frozen = { readonly leaf: number; readonly hash: string };
/** What a change of an incident says of it, as far as it is read here. */
export type IncidentSaid = {
  readonly id?: string;
  readonly state?: string;
  readonly request_set?: { readonly hash: string } | null;
};

export class FrozenSets {
  readonly #frozen = new Map<string, Frozen>();

  /** The last word counts: an incident that was opened again is not frozen any more. */
  note(leaf: number, said: IncidentSaid | null): void {
    if (said?.id === undefined) return;
    const hash = said.state === 'reviewed' ? said.request_set?.hash : undefined;
    if (hash === undefined) this.#frozen.delete(said.id);
    else this.#frozen.set(said.id, { leaf, hash });
  }

  /** Incidents whose requests are others now, and where the ledger says what they were. */
  changed(database: Database): readonly { readonly incident: string; readonly leaf: number }[] {
    return [...this.#frozen].flatMap(([incident, { leaf, hash }]) =>
      digestOf(database, incident) === hash ? [] : [{ incident, leaf }],
    );
  }
}

function digestOf(database: Database, incident: string): string {
  const hasher = new Bun.CryptoHasher('sha256');
  const rows = database.query<{ line: string }, [string]>(
    "SELECT request || ' ' || how || char(10) AS line FROM incident_hits WHERE incident = ? ORDER BY request",
  );
  for (const { line } of rows.iterate(incident)) hasher.update(line);
  return hasher.digest('hex');
}
