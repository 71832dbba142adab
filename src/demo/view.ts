/** The demo on a terminal: a live picture that is drawn again and again, or plain lines for logs and tests. */
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

function targetLines(state: Json, paint: Paint): readonly string[] {
  const rows = (state['targets'] as readonly Json[]).map((target) => {
    const gate = target['gate'] as Json;
    const off = (target['off_by'] as readonly string[]).length > 0;
    const status = off ? 'off' : String(gate['state']);
    const why = off ? 'switched off by a person' : typeof gate['words'] === 'string' ? gate['words'] : '';
    return `${String(target['target']).padEnd(28)}${paint(off ? 'red' : (statusColor[status] ?? 'dim'), status.padEnd(10))}${paint('dim', why.slice(0, 40))}`;
  });
  return [paint('dim', `${'TARGET'.padEnd(28)}${'HEALTH'.padEnd(10)}WHY`), ...rows];
}

export async function picture(world: World, scene: Scene, tallies: Tallies, paint: Paint): Promise<string> {
  const state = await world.ask('GET', 'state');
  const switches = (state['switches'] as readonly Json[]).map(
    (entry) =>
      `off: ${JSON.stringify(entry['scope'])} by ${String(entry['created_by'])}, "${String(entry['reason'])}"`,
  );
  return [
    paint('bold', `Breakwater · 7 June, again · ${scene.title}`),
    ...scene.says.map((line) => `  ${line}`),
    '',
    ...featureLines(state, tallies, paint),
    '',
    ...targetLines(state, paint),
    '',
    ...(switches.length === 0
      ? [paint('dim', 'nothing is switched off')]
      : switches.map((line) => paint('yellow', line))),
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
