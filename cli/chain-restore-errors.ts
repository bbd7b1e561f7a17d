import { LedgerholdError } from '../core/errors.ts';

/** Where a chain is to be restored to, something lies already. */
export class DatadirNotEmpty extends LedgerholdError {
  override readonly name = 'DatadirNotEmpty';
  readonly kind = 'refused';
  constructor(folder: string) {
    super(
      `${folder} is not empty; it was left as it is`,
      'Name a new folder with --to. What an interrupted restore has left there may be removed.',
    );
  }
}

/** The client's program is not at hand. */
export class ClientMissing extends LedgerholdError {
  override readonly name = 'ClientMissing';
  readonly kind = 'usage';
  constructor(program: string) {
    super(
      `there is no program ${program} to import the chain with`,
      'Install the client and name it with --binary or the config’s `restore.binary`, or follow the plan’s commands by hand.',
    );
  }
}

/** The client did not do what it was started for, for reasons that say nothing about the chain. */
export class ClientFailed extends LedgerholdError {
  override readonly name = 'ClientFailed';
  readonly kind = 'external';
  constructor(what: string, said: string) {
    super(
      `${what}${said === '' ? '' : `: ${said}`}`,
      'Look at what the client says: its version, the genesis, the disk; then run this again.',
    );
  }
}

/** The client does not take the blocks. */
export class ImportRefused extends LedgerholdError {
  override readonly name = 'ImportRefused';
  readonly kind = 'violation';
  constructor(blocks: string, said: string) {
    super(
      `the client does not import ${blocks}: ${said}`,
      'Give the very genesis that the network began with, and a version of the client that knows all of its forks.',
    );
  }
}

/** The imported chain ends elsewhere than the history. */
export class RestoredChainDiffers extends LedgerholdError {
  override readonly name = 'RestoredChainDiffers';
  readonly kind = 'violation';
  constructor(why: string) {
    super(
      `the restored chain is not the one of the history: ${why}`,
      'Look at what the client said while it imported; do not start the node with this data directory.',
    );
  }
}
