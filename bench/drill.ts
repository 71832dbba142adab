/** How long a drill of twelve virtual hours takes: four features at 50 requests a second. `npm run bench:drill [rate]` */
import { Secret } from '../src/core/secret.ts';
import { planDrill } from '../src/drill/drill-plan.ts';
import { runDrill } from '../src/drill/drill-report.ts';
import { requestsOf } from '../src/drill/drill-words.ts';
import { compileText } from '../src/sync/config-file.ts';

/** Requests a second of all four together; 200 for 50 each. */
const rate = Number(process.argv[2] ?? 50);

const loaded = compileText(
  `
providers:
  anthropic: { api: anthropic, keys: [env:A] }
  openai: { api: openai, keys: [env:B] }
features:
  one: { route: [anthropic/claude-opus-4-8, openai/gpt-5.2] }
  two: { route: [anthropic/claude-opus-4-8, openai/gpt-5.2] }
  three: { route: [openai/gpt-5.2, anthropic/claude-opus-4-8] }
  four: { route: [anthropic/claude-sonnet-4-5, openai/gpt-5.2] }
`,
  () => new Secret('none'),
);
if (!loaded.ok) throw new Error(loaded.problems[0].message);
const { snapshot } = loaded;
const planned = planDrill(
  {
    words: 'loss-of:anthropic',
    document: null,
    profile: { traffic: { '*': { rate: rate / snapshot.features.size } } },
    duration: '12h',
  },
  snapshot,
);
if (!planned.ok) throw new Error(planned.problem);
const begun = process.cpuUsage();
const startedAt = performance.now();
const report = runDrill(planned.plan, snapshot, { seed: 1, strategies: [], onStrategy: () => {} });
const seconds = (performance.now() - startedAt) / 1_000;
const { user, system } = process.cpuUsage(begun);
const requests = report.features.reduce((sum, { outcomes }) => sum + requestsOf(outcomes), 0);
console.log(
  `${requests} requests in 12 virtual hours: ${seconds.toFixed(1)} s, of which ${((user + system) / 1e6).toFixed(1)} s of CPU; ${report.violations} against policy`,
);
