import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { ChainManifest, ChainRecord } from '../../core/chain.ts';
import { NetworkName, type Sha256 } from '../../core/names.ts';
import type { Signer } from '../../core/ports.ts';
import type { Vault } from '../../core/vault.ts';
import { fingerprintOf } from '../../io/signatures.ts';
import { putDocument, putSigned } from '../../vault/documents.ts';
import { claimVaultFormat } from '../../vault/format.ts';
import { agreementKey, chainFileKey, chainManifestKey, recordKey } from '../../vault/layout.ts';
import { publishKey } from '../../vault/trust.ts';

/** A key of its own, in memory. */
export function newToySigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return {
    fingerprint: async () => fingerprintOf(pem),
    publicKeyPem: async () => pem,
    sign: async (bytes) => sign('sha256', bytes, privateKey),
  };
}

/** Of tests that hold no signature against a key from outside. */
export const unprovenSigner = newToySigner();

const hashOf = (text: string): string => `0x${createHash('sha256').update(text).digest('hex')}`;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex') as Sha256;

/** A history whose files are any bytes: what delivers never looks into them. */
export class ToyHistory {
  readonly vault: Vault;
  readonly node: string;
  /** Of the next manifest; `endorser` vouches for one that is new. */
  signer: Signer;
  endorser: Signer | undefined;
  /** The newest record: the next manifest may say that the chain has left it. */
  #newest: ChainManifest['records'][number] | undefined;
  #previous: Sha256 | null = null;
  #seq = 0;
  #blocks = 0;

  constructor(vault: Vault, signer: Signer = unprovenSigner, node = 'consortium') {
    this.vault = vault;
    this.signer = signer;
    this.node = node;
  }

  get isEmpty(): boolean {
    return this.#blocks === 0;
  }

  /** Seals a manifest over as many files as bodies are given. */
  async seal(...bodies: readonly Uint8Array[]): Promise<void> {
    await this.sealAfter([], ...bodies);
  }

  /** The same, where the chain has left the newest record. */
  async reorganise(...bodies: readonly Uint8Array[]): Promise<void> {
    await this.sealAfter(this.#newest === undefined ? [] : [this.#newest], ...bodies);
  }

  private async sealAfter(orphaned: ChainManifest['orphaned'], ...bodies: readonly Uint8Array[]): Promise<void> {
    const { vault, node } = this;
    await claimVaultFormat(vault, NetworkName.parse('acme'));
    this.#seq += 1;
    const slot = `slot-${this.#seq}`;
    const at = '2026-11-01T00:00:00.000Z';
    const files = bodies.map((body) => {
      this.#blocks += 1;
      return { body, block: this.#blocks - 1, name: `${slot}-block-${this.#blocks - 1}-${this.#blocks - 1}.rlp` };
    });
    const end = { number: this.#blocks - 1, hash: hashOf(`block ${this.#blocks - 1}`) };
    const answer = { validator: 'bank-a', at, number: end.number, hash: end.hash, outcome: 'agrees' };
    const evidence = { end, rule: 'all', monitor: 'monitor', answers: [answer], rounds: 1 };
    const common = { network: 'acme', node, slot };
    const records = await Promise.all(
      files.map(async ({ body, block, name }) => {
        async function* only() {
          yield body;
        }
        await vault.writeOnce(chainFileKey(node, name), only());
        const ref = { number: block, hash: hashOf(`block ${block}`), parentHash: hashOf(`block ${block - 1}`) };
        const record = {
          ...{ format: 'ledgerhold/chain-record/1', ...common, start: ref, end: ref, transactions: 0, rules: {} },
          file: { name, size: body.length, sha256: sha256(body), compression: 'none', blockBytes: body.length },
          ...{ client: 'toy', exportedAt: at, evidence },
        } as ChainRecord;
        return { key: recordKey(node, name), sha256: (await putDocument(vault, recordKey(node, name), record)).sha256 };
      }),
    );
    const agreement = agreementKey({ node, slot, fence: 1 });
    const agreed = await putDocument(vault, agreement, {
      ...{
        format: 'ledgerhold/chain-agreement/1',
        ...common,
        fence: 1,
        after: this.#seq - 1,
        base: null,
        orphaned: [],
      },
      evidence,
    });
    const manifest = {
      ...{ format: 'ledgerhold/chain-manifest/1', network: 'acme', node, protocol: 'ethereum', seq: this.#seq },
      ...{ previous: this.#previous, slot, fence: 1, reason: 'manual', sealedAt: at },
      ...{ agreement: { key: agreement, sha256: agreed.sha256 }, records, orphaned, head: end },
      signer: await publishKey(vault, this.signer, this.endorser),
    } as unknown as ChainManifest;
    this.#newest = records.at(-1) ?? this.#newest;
    this.#previous = (await putSigned(vault, this.signer, chainManifestKey(node, this.#seq), manifest)).sha256;
  }
}
