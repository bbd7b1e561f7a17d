/** Numbers from a seed, as mulberry32 makes them. */
export function numbers(seed: number) {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return { next, below, chance: (p: number) => next() < p, one: <T>(of: readonly T[]): T => of[below(of.length)] as T };
}

export type Numbers = ReturnType<typeof numbers>;
