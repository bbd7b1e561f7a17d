import { guardedHttp } from '../../io/http.ts';
import { outboundTo } from '../../io/http-guard.ts';
import { type ChainNode, type ChainNodeSettings, openChainNode } from '../../protocols/ethereum/chain-node.ts';
import { type EthereumNode, type EthereumNodeOptions, ethereumNode } from '../fakes/ethereum-node.ts';

export interface Watched extends AsyncDisposable {
  readonly fake: EthereumNode;
  readonly node: ChainNode;
  readonly warnings: readonly string[];
  /** Each pause that was made, in seconds; none of them takes any time. */
  readonly pauses: readonly number[];
}

/** A fake of a node, and the product's view of it, whose URL holds a secret. */
export async function watchedNode(
  options: EthereumNodeOptions,
  settings: Partial<ChainNodeSettings> & { readonly totalMs?: number } = {},
): Promise<Watched> {
  const fake = await ethereumNode(options);
  const [warnings, pauses]: [string[], number[]] = [[], []];
  const node = openChainNode({
    ...{ name: 'node-1', url: `${fake.url}/v3/${SECRET_PATH}`, client: 'geth', random: () => 0.5 },
    http: guardedHttp(outboundTo([fake.url]), { totalMs: settings.totalMs ?? 10_000 }),
    pause: async (seconds) => void pauses.push(seconds),
    warn: (text) => warnings.push(text),
    ...settings,
  });
  return { fake, node, warnings, pauses, [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose]() };
}

export const SECRET_PATH = 'sentinel-of-a-path';
