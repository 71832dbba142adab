/**
 * Work that takes long is a generator that yields now and then: a server does other things in between, everybody else
 * does it in one go. What is done does not depend on which.
 */
export function inOneGo<T>(work: Generator<undefined, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
