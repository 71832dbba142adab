/** Does what takes long a piece at a time: requests go first. */
export async function inBreaths<T>(work: Generator<undefined, T>): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await Bun.sleep(0);
  }
}
