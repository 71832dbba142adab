/** A report as a value: headings, paragraphs and tables, in one form that Markdown and HTML are both made from. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
      /** What is said where there is no row. */
      readonly none: string;
    };
export type Section = { readonly title: string; readonly parts: readonly Part[] };
export type ReportDocument = {
  readonly title: string;
  readonly intro: string;
  readonly sections: readonly Section[];
};

export const text = (words: string): Part => ({ kind: 'text', text: words });
export const table = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  none = 'None.',
): Part => ({ kind: 'table', head, rows, none });

/** Names come from people and providers: they must not become markup. */
const plain = (words: string): string =>
  words.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[\\|<>`*_[\]]/g, (sign) => `\\${sign}`);

const line = (cells: readonly string[]): string => `| ${cells.map(plain).join(' | ')} |`;

function partAsMarkdown(part: Part): string {
  switch (part.kind) {
    case 'text':
      return plain(part.text);
    case 'table':
      return part.rows.length === 0
        ? plain(part.none)
        : [line(part.head), `| ${part.head.map(() => '---').join(' | ')} |`, ...part.rows.map(line)].join(
            '\n',
          );
  }
}

export function asMarkdown({ title, intro, sections }: ReportDocument): string {
  const blocks = sections.flatMap((section) => [
    `## ${plain(section.title)}`,
    ...section.parts.map(partAsMarkdown),
  ]);
  return `${[`# ${plain(title)}`, plain(intro), ...blocks].join('\n\n')}\n`;
}

const escaped = (words: string): string =>
  words.replaceAll(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0) ?? 0};`);

const cells = (name: 'td' | 'th', row: readonly string[]): string =>
  `<tr>${row.map((cell) => `<${name}${name === 'th' ? ' scope="col"' : ''}>${escaped(cell)}</${name}>`).join('')}</tr>`;

function partAsHtml(part: Part): string {
  switch (part.kind) {
    case 'text':
      return `<p>${escaped(part.text)}</p>`;
    case 'table':
      return part.rows.length === 0
        ? `<p>${escaped(part.none)}</p>`
        : `<div class="wide"><table><thead>${cells('th', part.head)}</thead><tbody>${part.rows.map((row) => cells('td', row)).join('')}</tbody></table></div>`;
  }
}

const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}table{border-collapse:collapse;font-size:.9rem}td,th{border:1px solid #8888;padding:.3rem .6rem;text-align:left;vertical-align:top}.wide{overflow-x:auto}';

/** One page without script and without anything from elsewhere. */
export function asHtml({ title, intro, sections }: ReportDocument): string {
  const body = sections
    .map((section) => `<h2>${escaped(section.title)}</h2>${section.parts.map(partAsHtml).join('')}`)
    .join('\n');
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escaped(title)}</title><style>${style}</style></head>
<body><h1>${escaped(title)}</h1><p>${escaped(intro)}</p>
${body}</body></html>
`;
}
