/** What a benchmark ends with: ours against a named peer, and a limit, all measured in one run. */
export interface BenchResult {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer: { readonly name: string; readonly value: number };
  /** ours ÷ peer. */
  readonly ratio: number;
  readonly limit: { readonly name: string; readonly value: number };
}
