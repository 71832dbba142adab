/**
 * Loaded before a server, it takes recording out of it: fingerprints, and all that happens to a record once metrics have
 * counted it. For benchmarks that ask what recording costs; there is no setting that does this.
 */
const nothing = '({ update() { return this; }, digest: () => "" })';

/** What is taken out of which file: the text must be there once. */
const cuts = [
  ['engine.ts', 'fingerprint: fingerprinter(parts.fingerprintKey),', `fingerprint: () => ${nothing},`],
  ['wiring/records.ts', '      pump.push(entry);\n', ''],
] as const;

Bun.plugin({
  name: 'without records',
  setup(build) {
    for (const [file, from, to] of cuts)
      build.onLoad({ filter: new RegExp(`src/${file.replace('.', '\\.')}$`) }, async ({ path }) => {
        const parts = (await Bun.file(path).text()).split(from);
        if (parts.length !== 2)
          throw new Error(`${file} is written in another way: say here how recording is taken out`);
        return { contents: parts.join(to), loader: 'ts' };
      });
  },
});
