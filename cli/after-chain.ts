import { LedgerholdError } from '../core/errors.ts';
import { type Followed, followedNotes } from '../core/following.ts';
import { NodeName } from '../core/names.ts';
import type { Vault } from '../core/vault.ts';
import type { LocalCapture } from '../local/captures.ts';
import { newestManifests } from '../vault/newest-history.ts';

/** Private payloads are captured after the chain that they belong to, and nothing of it is sealed yet. */
export class ChainNotSealed extends LedgerholdError {
  override readonly name = 'ChainNotSealed';
  readonly kind = 'refused';
  constructor(chain: string) {
    super(
      `the history of ${chain} holds no block yet: nothing says which blocks these payloads would cover`,
      `Run \`ledgerhold backup --node ${chain}\`: it exports the chain, and captures the payloads after it.`,
    );
  }
}

/**
 * The same capture, with a note of the history that was sealed before it began: what it holds covers that much of the
 * chain. The order is `docs/decisions/0013-payloads-after-the-chain.md`.
 */
export const afterChain = (chain: string, vault: Vault, capture: LocalCapture): LocalCapture => ({
  ...capture,
  take: async (order, watch) => {
    // Read before the first byte is taken: a history that is sealed meanwhile may know of payloads that the dump does not.
    const followed = await sealedHistory(vault, chain);
    const captured = await capture.take(order, watch);
    return { ...captured, notes: { ...captured.notes, ...followedNotes(followed) } };
  },
});

async function sealedHistory(vault: Vault, chain: string): Promise<Followed> {
  for await (const { value, sha256 } of newestManifests(vault, chain)) {
    const { seq, head } = value;
    if (head !== null) {
      return { chain: NodeName.parse(chain), seq, manifest: sha256, block: head.number, hash: head.hash };
    }
  }
  throw new ChainNotSealed(chain);
}
