import { LedgerholdError } from '../../core/errors.ts';

/** The node has thrown away what is asked for. */
export class HistoryPruned extends LedgerholdError {
  override readonly name = 'HistoryPruned';
  readonly kind = 'refused';
  constructor(name: string, number: number) {
    super(
      `${name} has pruned block ${number}`,
      'Name a monitor that keeps all blocks, or import the history that somebody else has exported with `import-history`.',
    );
  }
}

/** The node serves no method by which whole blocks can be had. */
export class NoRawBlocks extends LedgerholdError {
  override readonly name = 'NoRawBlocks';
  readonly kind = 'refused';
  constructor(name: string) {
    super(
      `${name} gives out no raw blocks, and they cannot be rebuilt from what it gives`,
      'Open `debug` in its JSON-RPC (geth and GoQuorum: `--http.api eth,debug`; Besu: `--rpc-http-api=ETH,DEBUG`).',
    );
  }
}

/** A block that was shown as JSON alone, and whose bytes do not follow from that. */
export class BlockNotRebuilt extends LedgerholdError {
  override readonly name = 'BlockNotRebuilt';
  readonly kind = 'unknown';
  constructor(why: string, options?: ErrorOptions) {
    super(
      `a block cannot be put together from its JSON: ${why}`,
      'Let the node serve raw blocks: switch its DEBUG API on for this machine (debug_getRawBlock or debug_getBlockRlp).',
      options,
    );
  }
}
