export type ExportFinding = {
  readonly problem: string;
  readonly from: number;
  readonly to: number;
  readonly id: string | null;
  readonly words: string;
};
export type ExportVerified = {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly erased: number;
  readonly checkpoints: number;
  readonly findings: readonly ExportFinding[];
};
export type ProofVerified = {
  readonly holds: boolean;
  readonly index: number;
  readonly size: number;
  readonly entry: string | null;
  readonly words: string;
};
export function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  options?: { readonly key?: string | null; readonly held?: readonly string[] },
): Promise<ExportVerified>;
export function verifyProof(text: string, key: string): ProofVerified;
export function notesIn(text: string): readonly string[];
