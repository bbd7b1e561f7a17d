import { LedgerholdError } from '../../core/errors.ts';

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

/** An error object that is none of those with a meaning here. */
export class NodeRefused extends LedgerholdError {
  override readonly name = 'NodeRefused';
  readonly kind = 'external';
  constructor(node: string, method: string, code: number, message: string) {
    super(`${node} answers ${method} with error ${code}: ${message}`, 'Look into the node’s log; run again.');
  }
}

/** An answer that is not of the form that its method has, such as half a byte. */
export class AnswerUnreadable extends LedgerholdError {
  override readonly name = 'AnswerUnreadable';
  readonly kind = 'violation';
  constructor(node: string, method: string, what: string, options?: ErrorOptions) {
    super(
      `${node} answers ${method} with ${what}`,
      'Find out what stands between here and the node; check the node itself with another client.',
      options,
    );
  }
}

export class OtherBlock extends LedgerholdError {
  override readonly name = 'OtherBlock';
  readonly kind = 'violation';
  constructor(node: string, asked: number, got: number) {
    super(
      `${node} gives block ${got} when asked for block ${asked}`,
      'Find out what stands between here and the node: a cache that mixes answers up, or the wrong one.',
    );
  }
}

export class HistoryPruned extends LedgerholdError {
  override readonly name = 'HistoryPruned';
  readonly kind = 'usage';
  constructor(node: string, number: number) {
    super(
      `${node} has pruned block ${number}: it keeps no history that far back`,
      'Name a node as monitor that keeps every block since the last file.',
    );
  }
}

export class BlockMissing extends LedgerholdError {
  override readonly name = 'BlockMissing';
  readonly kind = 'external';
  constructor(node: string, number: number, head: number) {
    super(
      `${node} does not give block ${number}, though its newest is ${head}`,
      'Look at that node: it is still syncing, or its database lacks blocks.',
    );
  }
}

/** While it was read, or since the last file was. */
export class NodeWentBackwards extends LedgerholdError {
  override readonly name = 'NodeWentBackwards';
  readonly kind = 'external';
  constructor(node: string, number: number, head: number) {
    super(
      `${node} no longer has block ${number}: its newest is ${head}`,
      'Wait until it has caught up, and run again; a node that was reset or restored stays behind for a while.',
    );
  }
}
