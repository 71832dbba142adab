/** Content on its way to where it is kept, where the configuration wants that; beside the answer, which never waits for it. */
import type { CaptureMark } from '../core/capture.ts';

export type Capture = {
  /** More of the answer. */
  take(bytes: Uint8Array): void;
  /** The request is over; says what became of its content, once. */
  end(): CaptureMark;
};

type Output = { update(bytes: Uint8Array): unknown };

/** What goes to the caller is fingerprinted, and captured beside. */
export function captured(output: Output, capture: Capture | null): Output {
  if (capture === null) return output;
  return {
    update: (bytes) => {
      capture.take(bytes);
      output.update(bytes);
    },
  };
}
