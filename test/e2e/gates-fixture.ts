/** A house with a gate that is quick to try again: what callers get there, and how the gate stands. */
import { configuration, eventually, patience } from '../harness.ts';
import type { House, Json } from '../harness.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';

export const opus = 'anthropic/claude-opus-4-8';

/** Two keys at Anthropic, a quick way back, and patience for a slow machine. */
export function withGate(simulator: Simulator): Json {
  const { providers } = configuration(simulator) as { providers: Record<string, Json> };
  return {
    providers: {
      ...providers,
      anthropic: { ...providers['anthropic'], keys: ['env:KEY_A', 'env:KEY_B'] },
    },
    features: { notes: { title: 'Meeting notes', route: [opus, 'openai/gpt-5.2'], timeouts: patience } },
    gates: [{ match: {}, restore: { probeEvery: '100ms', ramp: ['50%', '100%'], hold: '1s' } }],
  };
}

export type Answer = {
  readonly status: number;
  readonly target: string | null;
  readonly warnings: string | null;
  readonly id: string;
};

export function gatesOf(house: () => House) {
  async function ask(more: Json = {}, signal?: AbortSignal): Promise<Answer> {
    const response = await fetch(`${house().url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({
        model: 'notes',
        max_tokens: 50,
        messages: [{ role: 'user', content: 'Hello' }],
        ...more,
      }),
      ...(signal === undefined ? {} : { signal }),
    });
    await response.arrayBuffer();
    return {
      status: response.status,
      target: response.headers.get('x-breakwater-target'),
      warnings: response.headers.get('x-breakwater-warnings'),
      id: response.headers.get('x-breakwater-request-id') ?? '',
    };
  }

  async function gateOf(target: string): Promise<Json> {
    const { body } = await house().admin('GET', 'state');
    return (body['targets'] as Json[]).find((each) => each['target'] === target)!['gate'] as Json;
  }

  /** Asks until the gate is in one of these states. */
  async function askUntil(states: readonly string[]): Promise<readonly Answer[]> {
    const answers: Answer[] = [];
    await eventually(
      async () => {
        answers.push(await ask());
        return states.includes(String((await gateOf(opus))['state']));
      },
      `the gate is ${states.join(' or ')}`,
    );
    return answers;
  }

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${house().url}/metrics`)).text();
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  return { ask, gateOf, askUntil, metric };
}
