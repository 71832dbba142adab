/** `breakwater demo`: builds the world, plays the scenes, and answers the questions. Needs no key and no network. */
import type { Environment } from '../config.ts';
import type { ExitCode } from '../cli/command.ts';
import { paragraph } from '../cli/layout.ts';
import { readKeys } from './keys.ts';
import type { Keys } from './keys.ts';
import { answerQuestions } from './questions.ts';
import { scenes } from './story.ts';
import type { Scene } from './story.ts';
import { startTraffic } from './traffic.ts';
import type { Traffic } from './traffic.ts';
import { openScreen, painted, picture, unpainted } from './view.ts';
import type { Paint, Screen } from './view.ts';
import { buildWorld } from './world.ts';
import type { World } from './world.ts';

export type DemoOptions = {
  readonly plain: boolean;
  readonly fast: boolean;
  /** Stays when the story is over, until it is interrupted. */
  readonly keep: boolean;
  readonly environment: Environment;
};

const frameMs = 250;

type Stage = {
  readonly world: World;
  readonly traffic: Traffic;
  readonly paint: Paint;
  readonly screen: Screen | null;
  readonly keys: Keys;
  readonly write: (text: string) => void;
};

/** Plays one scene; true when the person wants to leave. */
async function play(scene: Scene, stage: Stage): Promise<boolean> {
  const { world, traffic, paint, screen, keys, write } = stage;
  await scene.begin(world);
  let leftMs = scene.seconds * 1_000;
  let paused = false;
  while (leftMs > 0) {
    if (screen !== null) screen.draw(await picture(world, scene, traffic.tallies, paint));
    await Bun.sleep(frameMs);
    if (!paused) leftMs -= frameMs;
    const key = keys.pressed();
    if (key === 'quit') return true;
    if (key === 'next') break;
    if (key === 'pause') paused = !paused;
  }
  if (screen === null) write(`${await picture(world, scene, traffic.tallies, paint)}\n\n${'─'.repeat(78)}\n`);
  return false;
}

async function tellAnswers(stage: Stage): Promise<void> {
  stage.write(
    `\n${stage.paint('bold', 'Eleven questions that people asked that day, answered by the commands you have')}\n`,
  );
  for (const { question, command, lines } of await answerQuestions(stage.world))
    stage.write(
      `\n${stage.paint('cyan', paragraph(question, 0))}\n$ ${command}\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`,
    );
  stage.write('\nNext: npm start, or put it in front of your own product: docs/get-started.md\n');
}

/** Leaves the server to whoever wants to ask it, until the process is told to end. */
async function stay({ world, write }: Stage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  write(
    `\nTo ask it yourself, in another terminal (Ctrl-C here ends it):\nexport BREAKWATER_URL=${world.server.url}\nexport BREAKWATER_ADMIN_TOKEN=${world.token}\n`,
  );
  await promise;
}

/** Exit code 0; leaving early is no failure. */
export async function runDemo(options: DemoOptions): Promise<ExitCode> {
  const unitSeconds = options.fast ? 2 : 8;
  const write = (text: string): void => void process.stdout.write(text);
  const paint = options.plain || !options.environment.color ? unpainted : painted;
  const world = await buildWorld(options.fast ? 500 : 2_000);
  const screen = options.plain ? null : openScreen(write);
  const keys = options.plain ? { pressed: () => null, close: () => {} } : readKeys(process.stdin);
  const stage: Stage = { world, traffic: startTraffic(world), paint, screen, keys, write };
  if (options.plain)
    write(
      `Breakwater replays 7 June 2026 with simulated providers. No keys, no network.\nStatus page, while this runs: ${world.server.url}/status\n\n`,
    );
  try {
    for (const scene of scenes(unitSeconds)) if (await play(scene, stage)) break;
    await stage.traffic.stop();
    await tellAnswers(stage);
    keys.close();
    if (options.keep) await stay(stage);
  } finally {
    screen?.close();
    keys.close();
    await stage.traffic.stop();
    await world.stop();
  }
  return 0;
}
