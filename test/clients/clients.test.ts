/**
 * Coding clients from the npm registry, headless, through the gateway: a loop of two turns in which a command is really
 * executed, whatever the target speaks. `npm run test:clients` installs and runs them; without them these tests skip.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { simulated, simulatedGoogle, startHouse, until, withGoogle } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';

const bin = resolve(import.meta.dir, 'node_modules/.bin');
const isInstalled = existsSync(join(bin, 'claude'));
if (!isInstalled) console.log('Coding clients are not installed: run `npm run test:clients` to test them.');

const word = 'lighthouse';
const order = (tool: string, command: string, more: Record<string, unknown> = {}): string =>
  `use tool ${tool} with ${JSON.stringify({ command, description: 'write', ...more })}`;
const write = `echo ${word} > out.txt && cat out.txt`;

type Outcome = { readonly code: number; readonly output: string };

let house: House;
let folder: string;

async function run(
  command: readonly string[],
  options: { readonly env?: Record<string, string>; readonly input?: string },
): Promise<Outcome> {
  const child = Bun.spawn([join(bin, command[0] ?? ''), ...command.slice(1)], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      TERM: 'dumb',
      ...options.env,
    },
    stdin: new Blob([options.input ?? '']),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [output, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, output: output + errors };
}

const claude = (model: string, prompt: string): Promise<Outcome> =>
  run(['claude', '-p', prompt, '--model', model, '--allowedTools', 'Bash', '--output-format', 'json'], {
    env: {
      ANTHROPIC_BASE_URL: house.url,
      ANTHROPIC_API_KEY: 'any',
      DISABLE_TELEMETRY: '1',
      DISABLE_AUTOUPDATER: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    },
  });

const qwen = (model: string): Promise<Outcome> =>
  run(
    [
      'qwen',
      '-y',
      '--auth-type',
      'openai',
      '-p',
      order('run_shell_command', write, { is_background: false }),
    ],
    {
      env: { OPENAI_BASE_URL: `${house.url}/v1`, OPENAI_API_KEY: 'any', OPENAI_MODEL: model },
    },
  );

function opencode(model: string): Promise<Outcome> {
  const config = join(folder, 'opencode.json');
  const models = { [model]: { name: model } };
  const provider = {
    npm: '@ai-sdk/openai-compatible',
    name: 'Breakwater',
    options: { baseURL: `${house.url}/v1`, apiKey: 'any' },
    models,
  };
  writeFileSync(
    config,
    JSON.stringify({
      share: 'disabled',
      autoupdate: false,
      provider: { breakwater: provider },
      model: `breakwater/${model}`,
      small_model: `breakwater/${model}`,
    }),
  );
  return run(['opencode', 'run', '-m', `breakwater/${model}`], {
    env: { OPENCODE_CONFIG: config },
    input: order('bash', write),
  });
}

/** Codex speaks responses only; its configuration is a file in its home. */
function codex(model: string): Promise<Outcome> {
  const home = join(folder, '.codex');
  mkdirSync(home, { recursive: true });
  writeFileSync(
    join(home, 'config.toml'),
    [
      `model = "${model}"`,
      'model_provider = "breakwater"',
      'approval_policy = "never"',
      'sandbox_mode = "danger-full-access"',
      '[model_providers.breakwater]',
      'name = "Breakwater"',
      `base_url = "${house.url}/v1"`,
      'env_key = "BREAKWATER_KEY"',
      'wire_api = "responses"',
      '',
    ].join('\n'),
  );
  return run(
    [
      'codex',
      'exec',
      '--skip-git-repo-check',
      `use tool exec_command with ${JSON.stringify({ cmd: write })}`,
    ],
    {
      env: { CODEX_HOME: home, BREAKWATER_KEY: 'any' },
    },
  );
}

const written = (): string => {
  const path = join(folder, 'out.txt');
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
};

/** Beside the usual, a provider that is asked in the form of responses only. */
function withResponses(simulator: Simulator): Json {
  const base = withGoogle(simulator);
  const responses = {
    api: 'openai',
    keys: ['env:KEY_O'],
    baseUrl: simulator.baseUrl('openai'),
    models: { 'gpt-5.2': { dialects: ['openai-responses'] } },
  };
  return {
    providers: { ...(base['providers'] as Json), responses },
    features: { ...(base['features'] as Json), respond: { route: ['responses/gpt-5.2'] } },
  };
}

/** One target for each dialect: what is asked for, and who is to be called. */
const everyDialect = [
  ['local/llama-3.2-3b', 'local', 'openai-chat'],
  ['respond', 'openai', 'openai-responses'],
  ['notes', 'anthropic', 'anthropic-messages'],
  ['lone', 'google', 'gemini'],
] as const;

const servers = (): readonly string[] => [...new Set(house.simulator.calls().map((call) => call.provider))];

describe.skipIf(!isInstalled)('coding clients', () => {
  beforeAll(async () => {
    house = await startHouse(withResponses, [...simulated, simulatedGoogle]);
  });
  afterAll(() => house.stop());
  beforeEach(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    folder = mkdtempSync(join(tmpdir(), 'breakwater-client-'));
    house.simulator.clearFaults();
    house.simulator.forgetCalls();
  });

  test.each(everyDialect)('Claude Code on %s (%s, %s)', async (model, provider) => {
    const { code, output } = await claude(model, order('Bash', write));
    expect(output).toContain(`The tool said: ${word}`);
    expect(code).toBe(0);
    expect(written()).toBe(word);
    expect(servers()).toEqual([provider]);
  });

  test('Claude Code goes on while its provider is switched off under it', async () => {
    const running = claude('notes', order('Bash', `sleep 1 && ${write}`));
    await until(() => house.simulator.calls().some((call) => call.ending === 'completed'), 'the first turn');
    await house.admin('POST', 'switches', {
      scope: { provider: 'anthropic' },
      effect: 'off',
      reason: 'elevated errors',
    });
    const { output } = await running;
    expect(output).toContain(`The tool said: ${word}`);
    expect(written()).toBe(word);
    expect(servers()).toEqual(['anthropic', 'openai']);
    await releaseAll();
  });

  test('a model that is out is a sentence, not a stack', async () => {
    await house.admin('POST', 'switches', {
      scope: { model: 'claude-opus-4-8' },
      effect: 'off',
      reason: 'elevated errors',
    });
    const { output } = await claude('alone', 'Hello');
    expect(output).toContain('is switched off by the operator');
    expect(output).not.toMatch(/^\s+at .+:\d+:\d+/m);
    await releaseAll();
  });

  test.each(everyDialect)('Codex on %s (%s, %s)', async (model, provider) => {
    const { output } = await codex(model);
    expect(output).toContain(`The tool said: `);
    expect(output).toContain(word);
    expect(written()).toBe(word);
    expect(servers()).toEqual([provider]);
  });

  test.each(everyDialect)('qwen-code on %s (%s, %s)', async (model, provider) => {
    const { output } = await qwen(model);
    expect(output).toContain(word);
    expect(written()).toBe(word);
    expect(servers()).toEqual([provider]);
  });

  test.each(everyDialect)('opencode on %s (%s, %s)', async (model, provider) => {
    const { output } = await opencode(model);
    expect(output).toContain(`The tool said: ${word}`);
    expect(written()).toBe(word);
    expect(servers()).toEqual([provider]);
  });
});

async function releaseAll(): Promise<void> {
  const { body } = await house.admin('GET', 'switches');
  for (const entry of body['items'] as readonly { id: string }[])
    await house.admin('POST', `switches/${entry.id}/release`, { reason: 'over', ramp: false });
}
