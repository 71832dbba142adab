/** Keys pressed while the demo runs. */
export type Keys = { readonly pressed: () => 'next' | 'pause' | 'quit' | null; readonly close: () => void };

/** Reads single keys from a terminal; without one, none is ever pressed. */
export function readKeys(input: NodeJS.ReadStream): Keys {
  let last: 'next' | 'pause' | 'quit' | null = null;
  if (!input.isTTY) return { pressed: () => null, close: () => {} };
  const onKey = (data: Buffer): void => {
    const key = data.toString();
    if (key === 'n' || key === ' ') last = 'next';
    if (key === 'p') last = 'pause';
    if (key === 'q' || key === '\u0003') last = 'quit';
  };
  input.setRawMode(true);
  input.on('data', onKey);
  input.resume();
  return {
    pressed: () => {
      const key = last;
      last = null;
      return key;
    },
    close: () => {
      input.off('data', onKey);
      input.setRawMode(false);
      input.pause();
    },
  };
}
