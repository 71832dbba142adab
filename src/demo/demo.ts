/** `breakwater demo`: builds the world, plays the scenes, and answers the questions. Needs no key and no network. */
import type { Environment } from '../config.ts';
import type { ExitCode } from '../cli/command.ts';
import { readKeys } from './keys.ts';
import type { Keys } from './keys.ts';
import { answerQuestions } from './questions.ts';
import { scenes } from './story.ts';
import type { Scene } from './story.ts';
import { startTraffic } from './traffic.ts';
import type { Traffic } from './traffic.ts';
import { peopleTeller, programsTeller } from './teller.ts';
import type { Teller } from './teller.ts';
import { openScreen, painted, picture, unpainted } from './view.ts';
import type { Paint, Screen } from './view.ts';
import { buildWorld } from './world.ts';
import type { World } from './world.ts';

export type DemoOptions = {
  /** A live picture, lines for people, or lines of JSON for programs. */
  readonly form: 'screen' | 'plain' | 'json';
  readonly fast: boolean;
  /** Stays when the story is over, until it is interrupted. */
  readonly keep: boolean;
  readonly environment: Environment;
};

const frameMs = 250;
/** The story goes on after this, whatever was seen. */
const patienceMs = 60_000;

type Stage = {
  readonly world: World;
  readonly traffic: Traffic;
  readonly paint: Paint;
  readonly screen: Screen | null;
  readonly keys: Keys;
  readonly teller: Teller;
};

/** Plays one scene; true when the person wants to leave. */
async function play(scene: Scene, stage: Stage): Promise<boolean> {
  const { world, traffic, paint, screen, keys, teller } = stage;
  await scene.begin(world);
  let leftMs = scene.seconds * 1_000;
  let paused = false;
  const isSeen = async (): Promise<boolean> =>
    leftMs < -patienceMs || (await scene.isSeen?.(world)) !== false;
  while (leftMs > 0 || !(await isSeen())) {
    if (screen !== null) screen.draw(await picture(world, scene, traffic.tallies, paint));
    await Bun.sleep(frameMs);
    if (!paused) leftMs -= frameMs;
    const key = keys.pressed();
    if (key === 'quit') return true;
    if (key === 'next') break;
    if (key === 'pause') paused = !paused;
  }
  if (screen === null) await teller.scene(world, scene, traffic.tallies);
  return false;
}

/** Leaves the server to whoever wants to ask it, until the process is told to end. */
async function stay({ world, teller }: Stage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  teller.waiting(world);
  await promise;
}

/** Exit code 0; leaving early is no failure. */
export async function runDemo(options: DemoOptions): Promise<ExitCode> {
  const unitSeconds = options.fast ? 2 : 8;
  const write = (text: string): void => void process.stdout.write(text);
  const isLive = options.form === 'screen';
  const paint = isLive && options.environment.color ? painted : unpainted;
  const teller = options.form === 'json' ? programsTeller(write) : peopleTeller(write, paint);
  const world = await buildWorld(options.fast ? 500 : 2_000);
  const screen = isLive ? openScreen(write) : null;
  const keys = isLive ? readKeys(process.stdin) : { pressed: () => null, close: () => {} };
  const stage: Stage = { world, traffic: startTraffic(world), paint, screen, keys, teller };
  if (!isLive) teller.started(world);
  try {
    for (const scene of scenes(unitSeconds)) if (await play(scene, stage)) break;
    await stage.traffic.stop();
    teller.answers(await answerQuestions(world));
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
