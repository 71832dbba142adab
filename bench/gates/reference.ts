/**
 * The reference: a Bernoulli CUSUM that knows the background (0.5 %) and the breach (20 %), with one false alarm in a
 * stated time. Its sum moves on a lattice (a success takes 11 steps down, a failure 186 up, exact to 0.03 %), so it is a
 * Markov chain, and its mean delay is computed, not simulated: (I − Q)·m = 1 gives the mean number of outcomes m until
 * the alarm. Brook and Evans 1972.
 */
const background = 0.005;
const breach = 0.2;
const stepsDown = 11;
const step = -Math.log((1 - breach) / (1 - background)) / stepsDown;
const stepsUp = Math.round(Math.log(breach / background) / step);

/** Mean number of outcomes until the sum, starting at zero, reaches `height` steps, when outcomes fail at `rate`. */
export function meanRun(height: number, rate: number): number {
  const rows = Array.from({ length: height }, (_, i) => {
    const row = new Float64Array(height + 1);
    row[i]! += 1;
    if (i + stepsUp < height) row[i + stepsUp]! -= rate;
    row[Math.max(0, i - stepsDown)]! -= 1 - rate;
    row[height] = 1;
    return row;
  });
  // Elimination within the band; the matrix is an M-matrix, so no pivoting is needed.
  for (let i = 0; i < height; i++) {
    const pivot = rows[i]!;
    for (let below = i + 1; below <= Math.min(height - 1, i + stepsDown); below++) {
      const row = rows[below]!;
      const factor = row[i]! / pivot[i]!;
      if (factor === 0) continue;
      for (let column = i; column <= Math.min(height - 1, i + stepsUp + stepsDown); column++)
        row[column]! -= factor * pivot[column]!;
      row[height]! -= factor * pivot[height]!;
    }
  }
  const m = new Float64Array(height);
  for (let i = height - 1; i >= 0; i--) {
    const row = rows[i]!;
    let sum = row[height]!;
    for (let column = i + 1; column < Math.min(height, i + stepsUp + stepsDown + 1); column++)
      sum -= row[column]! * m[column]!;
    m[i] = sum / row[i]!;
  }
  return m[0]!;
}

/** The least height with at least `outcomes` between two false alarms. */
export function heightFor(outcomes: number): number {
  let low = 1;
  let high = 64;
  while (meanRun(high, background) < outcomes) high *= 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (meanRun(middle, background) >= outcomes) high = middle;
    else low = middle + 1;
  }
  return low;
}
