/** Questions people asked that day, each answered by the command that anyone would use. */
import { runCommand } from '../cli/commands.ts';
import { readEnvironment } from '../config.ts';
import type { World } from './world.ts';

type Item = Readonly<Record<string, unknown>>;
type Asked = { readonly question: string; readonly words: readonly string[]; readonly linesMax?: number };

export type Answered = {
  readonly question: string;
  readonly command: string;
  readonly lines: readonly string[];
};

/** Lines of an answer that are shown; the rest is for whoever asks the command itself. */
const usualLinesMax = 14;

async function firstOf(world: World, query: string): Promise<Item | null> {
  const { items } = await world.ask('GET', query);
  return (items as readonly Item[] | undefined)?.[0] ?? null;
}

/** Options that begin the list of changes with the last decision of a person. */
async function untilDecided(world: World): Promise<readonly string[]> {
  const { items } = await world.ask('GET', 'changes?limit=200');
  const last = (items as readonly Item[]).find(({ kind }) => String(kind).startsWith('switch.'));
  return last === undefined ? [] : ['--until', new Date(Date.parse(String(last['at'])) + 1).toISOString()];
}

/** The same command in a terminal: what it prints. */
async function answer({ question, words, linesMax = usualLinesMax }: Asked, world: World): Promise<Answered> {
  const out: string[] = [];
  const print = (text: string): void => void out.push(text);
  const environment = readEnvironment({
    BREAKWATER_URL: world.server.url,
    BREAKWATER_ADMIN_TOKEN: world.token,
  });
  await runCommand(words, environment, { print, complain: print });
  const lines = out.join('\n').trimEnd().split('\n');
  const left = lines.length - linesMax;
  const command = ['breakwater', ...words].join(' ');
  return {
    question,
    command,
    lines: left > 1 ? [...lines.slice(0, linesMax), `… ${left} more lines`] : lines,
  };
}

async function questions(world: World, incident: string, request: Item): Promise<readonly Asked[]> {
  const user = String(request['user']);
  return [
    { question: 'Which model answered me?', words: ['explain', String(request['id'])] },
    {
      question: 'Was another model used, and why?',
      words: ['requests', '--user', user, '--hop', 'same_model', '--limit', '4'],
    },
    {
      question: 'Did my data go to another company?',
      words: ['requests', '--user', user, '--boundary', 'entity', '--limit', '4'],
    },
    {
      question: 'Did confidential papers reach a company that is not approved for them?',
      words: ['requests', '--feature', 'board-papers', '--attempted', 'openai/gpt-5.2'],
    },
    {
      question: 'Which requests were hit, and how?',
      words: ['incident', 'requests', incident, '--limit', '4'],
    },
    { question: 'Is it them or us, and can I continue?', words: ['diagnose', 'meeting-notes'] },
    {
      question:
        'Did the model get worse, or did requests fail? Since when, and who knew first? When was routing normal again?',
      words: ['incident', 'show', incident],
      linesMax: 36,
    },
    { question: 'Which features are affected, and who answers?', words: ['state'], linesMax: 20 },
    {
      question: 'Who decided what, when and why?',
      words: ['whatchanged', '--category', 'routing_change', ...(await untilDecided(world)), '--limit', '6'],
      linesMax: 24,
    },
    { question: 'What was agreed beforehand?', words: ['coverage', 'board-papers'] },
  ];
}

export async function answerQuestions(world: World): Promise<readonly Answered[]> {
  await world.server.engine.records.flush();
  const [incident, request] = await Promise.all([
    firstOf(world, 'incidents?limit=1'),
    firstOf(world, 'requests?feature=board-papers&failure=overloaded&hop=same_model&limit=1'),
  ]);
  const answered: Answered[] = [];
  // Whoever left before the outage has nothing to ask.
  if (incident === null || request === null) return answered;
  for (const each of await questions(world, String(incident['id']), request))
    answered.push(await answer(each, world));
  return answered;
}
