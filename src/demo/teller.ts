/** What the demo says beside its live picture: for people, or one JSON object a line for programs. */
import { paragraph } from '../cli/layout.ts';
import type { Answered } from './questions.ts';
import type { Scene } from './story.ts';
import type { Tallies } from './traffic.ts';
import { picture } from './view.ts';
import type { Paint } from './view.ts';
import type { World } from './world.ts';

export type Teller = {
  readonly started: (world: World) => void;
  /** A scene is over: how things stand. */
  readonly scene: (world: World, scene: Scene, tallies: Tallies) => Promise<void>;
  readonly answers: (answers: readonly Answered[]) => void;
  /** The server stays for whoever wants to ask it. */
  readonly waiting: (world: World) => void;
};

type Write = (text: string) => void;

export function peopleTeller(write: Write, paint: Paint): Teller {
  return {
    started: (world) =>
      write(
        `Breakwater replays 7 June 2026 with simulated providers. No keys, no network.\nStatus page, while this runs: ${world.server.url}/status\n\n`,
      ),
    scene: async (world, scene, tallies) =>
      write(`${await picture(world, scene, tallies, paint)}\n\n${'─'.repeat(78)}\n`),
    answers: (answers) => {
      write(
        `\n${paint('bold', `${answers.length} questions that people asked that day, answered by the commands you have`)}\n`,
      );
      for (const { question, command, lines } of answers)
        write(
          `\n${paint('cyan', paragraph(question, 0))}\n$ ${command}\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`,
        );
      write('\nNext: npm start, or put it in front of your own product: docs/get-started.md\n');
    },
    waiting: (world) =>
      write(
        `\nTo ask it yourself, in another terminal (Ctrl-C here ends it):\nexport BREAKWATER_URL=${world.server.url}\nexport BREAKWATER_ADMIN_TOKEN=${world.token}\n`,
      ),
  };
}

export function programsTeller(write: Write): Teller {
  const line = (event: string, facts: object): void => write(`${JSON.stringify({ event, ...facts })}\n`);
  return {
    started: ({ server: { url } }) => line('started', { url, status_page: `${url}/status` }),
    scene: async (world, { title, says }, tallies) => {
      const state = await world.ask('GET', 'state');
      line('scene', { title, says, traffic: Object.fromEntries(tallies), state });
    },
    answers: (answers) => {
      for (const answered of answers) line('answer', answered);
      line('ended', {});
    },
    waiting: ({ server: { url }, token }) => line('waiting', { url, admin_token: token }),
  };
}
