/** Small line charts as SVG, for the guide: nothing to install, readable in light and dark. */
export type Line = {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
  readonly dashed?: boolean;
};

const size = { width: 720, height: 360, left: 64, right: 200, top: 36, bottom: 48 };
const colours = ['#0b6e4f', '#c1121f', '#1d4ed8', '#b45309', '#7c3aed', '#475569', '#0e7490', '#be185d'];

function ticksOf(least: number, most: number): number[] {
  const list: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power++)
    list.push(10 ** power);
  return list.filter((tick) => tick >= least / 1.001 && tick <= most * 1.001);
}

const label = (value: number): string =>
  value >= 1_000 ? `${value / 1_000}k` : String(Number(value.toPrecision(3)));

/** Both axes are logarithmic. */
export function chart(title: string, x: string, y: string, lines: readonly Line[]): string {
  const all = lines.flatMap(({ points }) => points).filter(([a, b]) => a > 0 && b > 0 && Number.isFinite(b));
  const xs = all.map(([a]) => a);
  const ys = all.map(([, b]) => b);
  const [x0, x1, y0, y1] = [
    Math.min(...xs),
    Math.max(...xs),
    10 ** Math.floor(Math.log10(Math.min(...ys))),
    10 ** Math.ceil(Math.log10(Math.max(...ys))),
  ];
  const scale = (value: number, from: number, to: number, low: number, high: number): number =>
    low + ((Math.log(value) - Math.log(from)) / (Math.log(to) - Math.log(from) || 1)) * (high - low);
  const px = (value: number): string => scale(value, x0, x1, size.left, size.width - size.right).toFixed(1);
  const py = (value: number): string => scale(value, y0, y1, size.height - size.bottom, size.top).toFixed(1);
  const grid = [
    ...ticksOf(y0, y1).map(
      (tick) =>
        `<line x1="${size.left}" x2="${size.width - size.right}" y1="${py(tick)}" y2="${py(tick)}" stroke="#8884"/><text x="${size.left - 8}" y="${py(tick)}" text-anchor="end" dominant-baseline="middle">${label(tick)}</text>`,
    ),
    ...ticksOf(x0, x1).map(
      (tick) =>
        `<text x="${px(tick)}" y="${size.height - size.bottom + 18}" text-anchor="middle">${label(tick)}</text>`,
    ),
  ];
  const drawn = lines.map(({ name, points, dashed }, index) => {
    const colour = colours[index % colours.length] ?? '#000';
    const path = points
      .filter(([a, b]) => a > 0 && b > 0 && Number.isFinite(b))
      .map(([a, b], at) => `${at === 0 ? 'M' : 'L'}${px(a)} ${py(b)}`)
      .join('');
    const at = size.top + 8 + index * 18;
    const dash = dashed === true ? ' stroke-dasharray="5 4"' : '';
    return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/><line x1="${size.width - size.right + 14}" x2="${size.width - size.right + 38}" y1="${at}" y2="${at}" stroke="${colour}" stroke-width="2"${dash}/><text x="${size.width - size.right + 44}" y="${at}" dominant-baseline="middle">${name.replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="system-ui, sans-serif" font-size="12" fill="#667"><title>${title}</title><text x="${size.left}" y="18" font-size="14" font-weight="600">${title}</text>${grid.join('')}<text x="${(size.left + size.width - size.right) / 2}" y="${size.height - 10}" text-anchor="middle">${x}</text><text x="14" y="${size.height / 2}" text-anchor="middle" transform="rotate(-90 14 ${size.height / 2})">${y}</text>${drawn.join('')}</svg>\n`;
}
