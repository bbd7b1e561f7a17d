import type { LedgerholdError } from '../../core/errors.ts';
import { blockHash } from './block-hash.ts';
import { bodyChecker } from './body.ts';
import { BlockDamaged, ChainBroken, HashRuleUnclear, RlpInvalid, unclearText } from './errors.ts';
import { type HashRule, isIstanbul, type RuleChoice, rulesOf } from './hash-rules.ts';
import { hex, type Keccak, sameHash } from './keccak.ts';
import { FIELD, fieldAt, newLayout, readHeader, readLayout } from './layout.ts';
import type { ChainFileReport, ChainProblem, LastBlock } from './report.ts';

/** Verifies blocks one after the other as they come, and goes on after damage as far as blocks can be told apart. */
export interface BlockVerifier {
  block(bytes: Uint8Array, at: number, end: number, offset: number): void;
  problem(error: LedgerholdError, where?: { readonly block?: number; readonly offset?: number }): void;
  /** The first problem so far. */
  failed(): ChainProblem | undefined;
  report(): Findings;
}

export type Findings = Omit<ChainFileReport, 'file' | 'compression' | 'bytes'>;

/** Enough to see a pattern; a file of another chain would list all its blocks. */
const PROBLEMS_KEPT = 16;

/** The block before the one that comes, whose hash that one tells. */
interface Previous {
  readonly number: number;
  readonly hash: Uint8Array;
  readonly rules: readonly HashRule[];
  /** A copy, where the hash may follow by another rule. */
  readonly header: Uint8Array | undefined;
  readonly unclear: boolean;
}

type State = { -readonly [K in keyof Findings]: Findings[K] } & { previous: Previous | undefined };

export function blockVerifier(keccak: Keccak, choice: RuleChoice): BlockVerifier {
  const layout = newLayout();
  const earlier = newLayout();
  const check = bodyChecker(keccak);
  const rules: Partial<Record<HashRule, number>> = {};
  const problems: ChainProblem[] = [];
  /** The parent of the newest block. */
  const newestParent = new Uint8Array(32);
  const state: State = {
    blocks: 0,
    transactions: 0,
    rules,
    unchecked: 0,
    problems,
    moreProblems: 0,
    previous: undefined,
  };

  const problem: BlockVerifier['problem'] = (error, where = {}) => {
    if (problems.length >= PROBLEMS_KEPT) state.moreProblems += 1;
    else problems.push({ error: error.name, text: error.message, ...where });
  };

  /** Counts the previous block's rule, which nothing that follows can change any more. */
  function settle(hash: Uint8Array, rule: HashRule): void {
    rules[rule] = (rules[rule] ?? 0) + 1;
    if (state.first !== undefined && state.first.hash === '') state.first = { ...state.first, hash: hex(hash) };
  }

  /** Does the block that is laid out follow the previous one? */
  function link(bytes: Uint8Array, { number, hash, rules: all, header, unclear }: Previous): void {
    const parentAt = fieldAt(bytes, layout, FIELD.parentHash);
    const follows = (candidate: Uint8Array) => sameHash(bytes, parentAt, candidate);
    const rule = follows(hash)
      ? all[0]
      : all.slice(1).find((other) => header !== undefined && follows(hashOf(header, other)));
    settle(rule === undefined ? hash : bytes.subarray(parentAt, parentAt + 32), rule ?? all[0] ?? 'keccak');
    if (layout.number !== number + 1) throw new ChainBroken(`block ${layout.number} follows block ${number}`);
    if (rule !== undefined) return;
    const said = hex(bytes.subarray(parentAt, parentAt + 32));
    if (unclear) throw new HashRuleUnclear(unclearText(number));
    throw new ChainBroken(`its parent is ${said}; block ${number} before it is ${hex(hash)}`);
  }

  function hashOf(header: Uint8Array, rule: HashRule): Uint8Array {
    readHeader(header, 0, header.length, earlier);
    return blockHash(header, earlier, rule, keccak);
  }

  /** The block that is laid out, as the next one will see it. */
  function current(bytes: Uint8Array): Previous {
    const all = rulesOf(bytes, layout, choice);
    const header = all.length > 1 ? bytes.slice(layout.header, layout.headerEnd) : undefined;
    const unclear = choice === 'auto' && all.length === 1 && isIstanbul(bytes, layout);
    const hash = blockHash(bytes, layout, all[0] ?? 'keccak', keccak);
    return { number: layout.number, hash, rules: all, header, unclear };
  }

  function take(bytes: Uint8Array): void {
    const next = current(bytes);
    const { previous } = state;
    const at = fieldAt(bytes, layout, FIELD.parentHash);
    newestParent.set(bytes.subarray(at, at + 32));
    state.first ??= { number: layout.number, hash: '', parentHash: hex(bytes.subarray(at, at + 32)) };
    state.previous = next;
    if (previous !== undefined) link(bytes, previous);
  }

  /** After a block that cannot be read, nothing is known that the next one must follow. */
  function forget(): void {
    if (state.previous !== undefined) settle(state.previous.hash, state.previous.rules[0] ?? 'keccak');
    state.previous = undefined;
  }

  /** Does one part of the work; what is wrong with the block is a problem, anything else is thrown. */
  function attempt(offset: number, at: number, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      const block = layout.number < 0 ? {} : { block: layout.number };
      if (error instanceof RlpInvalid) {
        problem(new BlockDamaged(error.what), { ...block, offset: offset + error.offset - at });
      } else if (ours(error)) problem(error, { ...block, offset });
      else throw error;
      return false;
    }
  }

  return {
    problem,
    failed: () => problems[0],
    block(bytes, at, end, offset) {
      state.blocks += 1;
      if (!attempt(offset, at, () => readLayout(bytes, at, end, layout))) return forget();
      if (!attempt(offset, at, () => take(bytes)) && state.previous?.number !== layout.number) forget();
      attempt(offset, at, () => {
        const { transactions, unchecked } = check(bytes, layout);
        state.transactions += transactions;
        state.unchecked += unchecked;
      });
    },
    report() {
      const { previous, ...found } = state;
      if (previous === undefined) return found;
      settle(previous.hash, previous.rules[0] ?? 'keccak');
      const others = previous.rules
        .slice(1)
        .map((rule) => ({ rule, hash: hex(hashOf(previous.header ?? previous.hash, rule)) }));
      return {
        ...found,
        ...(state.first && { first: state.first }),
        last: lastBlock(previous, hex(newestParent), others),
      };
    },
  };
}

const ours = (error: unknown): error is LedgerholdError =>
  error instanceof BlockDamaged || error instanceof ChainBroken || error instanceof HashRuleUnclear;

function lastBlock(
  { number, hash, rules, unclear }: Previous,
  parentHash: string,
  others: LastBlock['hashes'],
): LastBlock {
  const own = { rule: rules[0] ?? 'keccak', hash: hex(hash) };
  return { number, hash: own.hash, parentHash, hashes: [own, ...others], unclear };
}
