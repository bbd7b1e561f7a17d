export interface RpcError {
  readonly code: number;
  readonly message: string;
}

/** What is answered for one block in place of it. */
export type BlockFault =
  /** Other bytes; where blocks are shown as JSON also another hash. */
  | { readonly bytes: Uint8Array; readonly hash?: string }
  | { readonly error: RpcError }
  | 'null'
  | '0x'
  | 'truncated'
  | 'odd'
  | 'not hex'
  | 'crashed'
  | 'pruned'
  | 'too large'
  | 'left out';

const ERRORS: Partial<Record<Extract<BlockFault, string>, RpcError>> = {
  crashed: { code: -32603, message: 'method handler crashed' },
  pruned: { code: 4444, message: 'pruned history unavailable' },
  'too large': { code: -32003, message: 'response too large' },
};

/** The answer; undefined: none at all. */
export function faultyBlock(fault: BlockFault, bytes: Uint8Array, prefix: string): object | undefined {
  const hex = (of: Uint8Array) => prefix + Buffer.from(of).toString('hex');
  if (typeof fault === 'object') return 'error' in fault ? fault : { result: hex(fault.bytes) };
  const error = ERRORS[fault];
  if (error !== undefined) return { error };
  if (fault === 'left out') return undefined;
  if (fault === 'null') return { result: null };
  if (fault === '0x') return { result: prefix };
  const text = hex(bytes);
  if (fault === 'odd') return { result: text.slice(0, -1) };
  return { result: fault === 'truncated' ? text.slice(0, -16) : `${text.slice(0, -2)}zz` };
}
