import { types } from 'node:util';
import { LedgerholdError } from '../core/errors.ts';

/** A file that was named cannot be opened. */
export class FileUnreadable extends LedgerholdError {
  override readonly name = 'FileUnreadable';
  readonly kind = 'usage';
  constructor(file: string, options?: ErrorOptions) {
    super(`${file} cannot be opened: ${reasonOf(options?.cause)}`, 'Name a file that this user may read.', options);
  }
}

/** The disk, or what stands for it, fails while a file is read. */
export class FileReadFailed extends LedgerholdError {
  override readonly name = 'FileReadFailed';
  readonly kind = 'external';
  constructor(file: string, options?: ErrorOptions) {
    super(`${file} cannot be read on: ${reasonOf(options?.cause)}`, 'Check the disk; then run it again.', options);
  }
}

/** Compressed bytes that are cut, changed, or followed by others. */
export class CompressionDamaged extends LedgerholdError {
  override readonly name = 'CompressionDamaged';
  readonly kind = 'violation';
  constructor(what: string, options?: ErrorOptions) {
    super(what, 'Take another copy of the file.', options);
  }
}

/** A zstd frame that needs more memory than is given to it. */
export class WindowTooLarge extends LedgerholdError {
  override readonly name = 'WindowTooLarge';
  readonly kind = 'unknown';
  constructor(window: number, most: number) {
    const what = `zstd needs a window of ${window} bytes; no more than ${most} are given to it`;
    super(what, 'Decompress the file first, with `zstd -d --long=31`, and name the result.');
  }
}

const reasonOf = (cause: unknown): string => (types.isNativeError(cause) ? cause.message : String(cause));
