/** Seconds that something takes. */
export async function timed(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Each of `kinds` once a round, in another order each time: whatever else the machine does meets all of them. */
export async function inTurns<K extends string>(
  rounds: number,
  kinds: readonly K[],
  measure: (kind: K, round: number) => Promise<number>,
): Promise<Record<K, number[]>> {
  const values = Object.fromEntries(kinds.map((kind) => [kind, [] as number[]])) as Record<K, number[]>;
  for (let round = 0; round < rounds; round += 1) {
    const order = kinds.map((_, n) => kinds[(n + round) % kinds.length] as K);
    for (const kind of order) values[kind].push(await measure(kind, round));
  }
  return values;
}
