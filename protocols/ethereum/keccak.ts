import { BLOCK_BYTES, INPUT_BYTES, keccakModule, MEMORY, roundConstants } from './keccak-module.ts';

/** Keccak-256 of its arguments, one after the other. The answer is the caller's. */
export type Keccak = (first: Uint8Array, second?: Uint8Array) => Uint8Array;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  absorb(at: number, blocks: number): void;
}

/** What is used of it; Node's types leave out that there is one. */
const { WebAssembly: webAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    instantiate(bytes: Uint8Array): Promise<{ readonly instance: { readonly exports: unknown } }>;
  };
};

/** One state that is used again and again: each call is whole, and a thread does one at a time. */
export async function keccak256(): Promise<Keccak> {
  const { instance } = await webAssembly.instantiate(keccakModule());
  const { memory, absorb } = instance.exports as Exports;
  const bytes = new Uint8Array(memory.buffer);
  new BigUint64Array(memory.buffer, MEMORY.constants, 24).set(roundConstants());
  /** How many bytes wait to be absorbed. */
  let held = 0;

  function feed(part: Uint8Array): void {
    let from = 0;
    while (part.length - from >= INPUT_BYTES - held) {
      const until = from + INPUT_BYTES - held;
      bytes.set(part.subarray(from, until), MEMORY.input + held);
      absorb(MEMORY.input, INPUT_BYTES / BLOCK_BYTES);
      held = 0;
      from = until;
    }
    bytes.set(from === 0 ? part : part.subarray(from), MEMORY.input + held);
    held += part.length - from;
  }

  return (first, second) => {
    held = 0;
    bytes.fill(0, MEMORY.state, MEMORY.state + 200);
    feed(first);
    if (second !== undefined) feed(second);
    // The padding: a bit behind the message, and one at the end of its last block.
    const end = (Math.floor(held / BLOCK_BYTES) + 1) * BLOCK_BYTES;
    bytes.fill(0, MEMORY.input + held, MEMORY.input + end);
    bytes[MEMORY.input + held] = 1;
    const last = MEMORY.input + end - 1;
    bytes[last] = (bytes[last] ?? 0) | 0x80;
    absorb(MEMORY.input, end / BLOCK_BYTES);
    return bytes.slice(MEMORY.state, MEMORY.state + 32);
  };
}

export const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;

/** Are the 32 bytes of `a` at `at` those of `b`? */
export function sameHash(a: Uint8Array, at: number, b: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) if (a[at + i] !== b[i]) return false;
  return true;
}
