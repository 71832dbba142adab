/** The demo on a terminal: a live picture that is drawn again and again, or plain lines for logs and tests. */
import { columnsMax, paragraph, wrap } from '../cli/layout.ts';
import type { Scene } from './story.ts';
import type { Tallies } from './traffic.ts';
import type { World } from './world.ts';

type Json = Readonly<Record<string, unknown>>;

const colors = { dim: '2', bold: '1', red: '31', green: '32', yellow: '33', cyan: '36' } as const;
type Color = keyof typeof colors;

export type Paint = (color: Color, text: string) => string;
export const painted: Paint = (color, text) => `\u001B[${colors[color]}m${text}\u001B[0m`;
export const unpainted: Paint = (_color, text) => text;

const statusColor: Readonly<Record<string, Color>> = {
  normal: 'green',
  backup: 'cyan',
  partial: 'yellow',
  paused: 'yellow',
  unavailable: 'red',
  healthy: 'green',
  ramping: 'yellow',
  probing: 'yellow',
  ejected: 'red',
};

/** Words of the status page. */
const statusWords: Readonly<Record<string, string>> = {
  normal: 'working',
  backup: 'on a backup model',
  partial: 'some requests fail',
  paused: 'paused by us',
  unavailable: 'not available',
};

function featureLines(state: Json, tallies: Tallies, paint: Paint): readonly string[] {
  const head = `${'FEATURE'.padEnd(17)}${'STATUS'.padEnd(19)}${'OK'.padStart(6)}${'BACKUP'.padStart(8)}${'ASKED'.padStart(7)}${'REFUSED'.padStart(9)}${'FAILED'.padStart(8)}`;
  const rows = (state['features'] as readonly Json[]).map((feature) => {
    const tally = tallies.get(String(feature['feature']));
    const status = String(feature['status']);
    const counts =
      tally === undefined
        ? ''
        : `${String(tally.preferred).padStart(6)}${String(tally.rescued).padStart(8)}${String(tally.asked).padStart(7)}${String(tally.refused).padStart(9)}${String(tally.failed).padStart(8)}`;
    return `${String(feature['title']).padEnd(17)}${paint(statusColor[status] ?? 'dim', (statusWords[status] ?? status).padEnd(19))}${counts}`;
  });
  return [paint('dim', head), ...rows];
}

const nameWidth = 28;
const stateWidth = 10;
const whyWidth = columnsMax - nameWidth - stateWidth;

function targetLines(state: Json, paint: Paint): readonly string[] {
  const rows = (state['targets'] as readonly Json[]).flatMap((target) => {
    const gate = target['gate'] as Json;
    const off = (target['off_by'] as readonly string[]).length > 0;
    const status = off ? 'off' : String(gate['state']);
    const why = off ? 'switched off by a person' : typeof gate['words'] === 'string' ? gate['words'] : '';
    const [first = '', ...more] = wrap(why, whyWidth);
    return [
      `${String(target['target']).padEnd(nameWidth)}${paint(off ? 'red' : (statusColor[status] ?? 'dim'), status.padEnd(stateWidth))}${paint('dim', first)}`.trimEnd(),
      ...more.map((line) => paint('dim', `${' '.repeat(nameWidth + stateWidth)}${line}`)),
    ];
  });
  return [paint('dim', `${'TARGET'.padEnd(nameWidth)}${'HEALTH'.padEnd(stateWidth)}WHY`), ...rows];
}

const stageMax = 2;

/** The incident that has written itself, and what users were told of it. */
async function incidentLines(world: World, paint: Paint): Promise<readonly string[]> {
  const { items } = await world.ask('GET', 'incidents?limit=1');
  const [incident] = (items ?? []) as readonly Json[];
  if (incident === undefined) return [paint('dim', 'no incident')];
  const id = String(incident['id']);
  const messages = await world.ask('GET', `incidents/${id}/messages`);
  const said = ((messages['items'] ?? []) as readonly Json[])
    .filter(({ state }) => state === 'published')
    .sort((one, other) => String(one['at']).localeCompare(String(other['at'])))
    .slice(-stageMax)
    .map(({ texts }) => (texts as Readonly<Record<string, Json>>)['en'] ?? {});
  return [
    paint(
      'bold',
      `incident: ${String(incident['title'])} (${String(incident['failure_class'])}, ${String(incident['state'])})`,
    ),
    ...said.flatMap(({ title, body }) => [
      `  users are told: ${paint('cyan', paragraph(String(title), 18))}`,
      ...wrap(String(body).replaceAll(/\s+/g, ' '), columnsMax - 4).map((line) => `    ${line}`),
    ]),
  ];
}

export async function picture(world: World, scene: Scene, tallies: Tallies, paint: Paint): Promise<string> {
  const state = await world.ask('GET', 'state');
  const switches = (state['switches'] as readonly Json[]).map(
    (entry) =>
      `off: ${Object.entries(entry['scope'] as Json)
        .map(([key, value]) => `${key}:${String(value)}`)
        .join(' ')} by ${String(entry['created_by'])}, "${String(entry['reason'])}"`,
  );
  return [
    paint('bold', `Breakwater · 7 June, again · ${scene.title}`),
    ...scene.says.map((line) => `  ${paragraph(line)}`),
    '',
    `status page: ${world.server.url}/status (open it in a browser)`,
    '',
    ...featureLines(state, tallies, paint),
    '',
    ...targetLines(state, paint),
    '',
    ...(switches.length === 0
      ? [paint('dim', 'nothing is switched off')]
      : switches.map((line) => paint('yellow', paragraph(line)))),
    '',
    ...(await incidentLines(world, paint)),
  ].join('\n');
}

const clearScreen = '\u001B[H\u001B[2J';
const hideCursor = '\u001B[?25l';
const showCursor = '\u001B[?25h';

export type Screen = { draw(text: string): void; close(): void };

/** Redraws in place; `close` leaves the last picture and gives the cursor back. */
export function openScreen(write: (text: string) => void): Screen {
  write(hideCursor);
  return {
    draw: (text) =>
      write(`${clearScreen}${text}\n\n${painted('dim', 'keys:  n next scene   p pause   q quit')}\n`),
    close: () => write(showCursor),
  };
}
