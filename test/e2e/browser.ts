/** The system's Chromium, and axe in it: what a browser and an accessibility checker make of a page. */
import { existsSync } from 'node:fs';

import AxeBuilder from 'axe-core';
import { chromium } from 'playwright-core';

export const browserPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) =>
  existsSync(path),
);
if (browserPath === undefined)
  console.log(
    'Chromium is not installed (Debian: apt-get install chromium): pages are not tried in a browser.',
  );

export type Looked = {
  readonly url: string;
  readonly width: number;
  readonly scheme: 'light' | 'dark';
  readonly violations: readonly string[];
  /** Wider than the window: it would have to be moved sideways. */
  readonly isWide: boolean;
  /** What the browser complained of. */
  readonly complaints: readonly string[];
};

export const widths = [360, 1_280] as const;
const schemes = ['light', 'dark'] as const;

type Found = {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
};

/** For one step of a page. */
const patienceMs = 120_000;
/** For a test that looks at pages. */
export const lookingMs = 300_000;

/** Looks at pages in each width and colour scheme. `SCREENSHOTS=folder` keeps pictures. */
export async function lookAt(pages: Readonly<Record<string, string>>): Promise<readonly Looked[]> {
  const browser = await chromium.launch({
    executablePath: browserPath ?? '',
    args: ['--no-sandbox'],
    timeout: patienceMs,
  });
  const looked: Looked[] = [];
  for (const width of widths)
    for (const scheme of schemes) {
      // The page itself allows no script: the checker is let in past its policy.
      const context = await browser.newContext({
        viewport: { width, height: 900 },
        colorScheme: scheme,
        bypassCSP: true,
      });
      for (const [name, url] of Object.entries(pages)) {
        const page = await context.newPage();
        page.setDefaultTimeout(patienceMs);
        const complaints: string[] = [];
        page.on('console', (message) => {
          // Browsers ask for a picture of their own accord.
          if (!message.location().url.endsWith('/favicon.ico')) complaints.push(message.text());
        });
        page.on('requestfailed', (request) => void complaints.push(request.url()));
        await page.goto(url);
        await page.addScriptTag({ content: AxeBuilder.source });
        const { violations } = (await page.evaluate(
          "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })",
        )) as Found;
        const isWide = (await page.evaluate(
          'document.documentElement.scrollWidth > document.documentElement.clientWidth',
        )) as boolean;
        const folder = process.env['SCREENSHOTS'];
        if (folder !== undefined)
          await page.screenshot({ path: `${folder}/${name}-${width}-${scheme}.png`, fullPage: true });
        looked.push({
          url,
          width,
          scheme,
          violations: violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`),
          isWide,
          complaints,
        });
        await page.close();
      }
      await context.close();
    }
  await browser.close();
  return looked;
}
