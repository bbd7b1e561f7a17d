import { LedgerholdError } from '../../core/errors.ts';

/** Bytes that are not canonical RLP, or not of the form that they must have. */
export class RlpInvalid extends LedgerholdError {
  override readonly name = 'RlpInvalid';
  readonly kind = 'violation';
  /** Within the bytes that were read. */
  readonly offset: number;
  readonly what: string;
  constructor(offset: number, what: string) {
    super(`byte ${offset}: ${what}`, 'Fetch the block again, or take another copy of the file.');
    this.offset = offset;
    this.what = what;
  }
}

/** A block that is not what its own header says. */
export class BlockDamaged extends LedgerholdError {
  override readonly name = 'BlockDamaged';
  readonly kind = 'violation';
  constructor(what: string) {
    super(what, 'Fetch the block again, or take another copy of the file.');
  }
}

/** A block that does not follow the one before it, or not the one that it must follow. */
export class ChainBroken extends LedgerholdError {
  override readonly name = 'ChainBroken';
  readonly kind = 'violation';
  constructor(what: string) {
    super(what, 'Name every file of the history once, in its order; then take another copy of this one.');
  }
}

/** A file of blocks that is cut, empty, or damaged as a file. */
export class ChainFileDamaged extends LedgerholdError {
  override readonly name = 'ChainFileDamaged';
  readonly kind = 'violation';
  constructor(what: string, options?: ErrorOptions) {
    super(what, 'Take another copy of the file, or export its range again.', options);
  }
}

/** A header whose hash cannot be told, and nothing after it that says which one it is. */
export class HashRuleUnclear extends LedgerholdError {
  override readonly name = 'HashRuleUnclear';
  readonly kind = 'unknown';
  constructor(what: string) {
    super(what, 'Give the file that follows too, or the hash itself with --expect-head.');
  }
}

/** For a block of the Istanbul family whose extra data is of no form that is known. */
export const unclearText = (number: number): string =>
  `the hash of block ${number} cannot be told: its extra data is of no form that is known`;
