/** Starts the processes of a benchmark, pinned to a core, and reads what the system says of them. */
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

import bunEnvironments from '../bin/bun-environment.json';

export type Started = {
  readonly process: Bun.Subprocess<'ignore', 'pipe', 'inherit'>;
  readonly ready: Record<string, unknown>;
};

/** What `bin/breakwater.js` starts it with. */
const environmentOf = (command: readonly string[]): Record<string, string> => ({
  ...bunEnvironments.always,
  ...(command.includes('serve') && bunEnvironments.serve),
});

const canPin = existsSync('/usr/bin/taskset') && cpus().length > 1;

/** Keeps this process off the core that is measured. */
export function pinSelf(core: number): void {
  if (canPin) Bun.spawnSync(['taskset', '-a', '-cp', String(core), String(process.pid)]);
}

/** Starts a command on one core (null: on any) and waits for its first JSON line that has the field. */
export async function start(
  command: readonly string[],
  core: number | null,
  field: string,
  environment: Record<string, string> = {},
): Promise<Started> {
  const pinned = canPin && core !== null ? ['taskset', '-c', String(core), ...command] : [...command];
  const child = Bun.spawn(pinned, {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
    env: { ...process.env, ...environmentOf(command), ...environment },
  });
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`${command.join(' ')} ended before it was ready`);
    text += decoder.decode(value, { stream: true });
    for (const line of text.split('\n')) {
      try {
        const value = JSON.parse(line) as Record<string, unknown>;
        if (field in value) {
          void drain(reader);
          return { process: child, ready: value };
        }
      } catch {
        // not a whole line yet
      }
    }
  }
}

async function drain(reader: { read(): Promise<{ done: boolean }> }): Promise<void> {
  while (!(await reader.read()).done);
}

const ticksPerSecond = 100;

/** CPU seconds a process has used so far, user and system, all threads. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Resident memory in MB. */
export function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

export function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, Bun ${Bun.version}, ${process.platform} ${process.arch}`;
}
