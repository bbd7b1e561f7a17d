import { LedgerholdError } from '../core/errors.ts';

/** `name` is what the config calls the endpoint: its URL can hold a secret. */
export class NotJsonRpc extends LedgerholdError {
  override readonly name = 'NotJsonRpc';
  readonly kind = 'violation';
  constructor(name: string, what: string) {
    super(`${name} does not speak JSON-RPC: ${what}`, 'Check that the URL is the node’s own JSON-RPC endpoint.');
  }
}

export class RpcRefused extends LedgerholdError {
  override readonly name = 'RpcRefused';
  readonly kind = 'usage';
  constructor(name: string, status: number) {
    super(
      `${name} answers ${status} to a JSON-RPC call`,
      'Check the URL, the key in it if it has one, and the host names that the node answers to.',
    );
  }
}

export class RpcUnavailable extends LedgerholdError {
  override readonly name = 'RpcUnavailable';
  readonly kind = 'external';
  constructor(name: string, why: string) {
    super(`${name} cannot answer now: ${why}`, 'Look at that node’s load and log; run again.');
  }
}
