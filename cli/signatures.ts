import type { Vault } from '../core/vault.ts';
import { signatureKey } from '../vault/layout.ts';
import type { StoredSet } from '../vault/sets.ts';
import { checkSigned, trustFrom } from '../vault/trust.ts';
import { type ExitCode, worstOf } from './exit-codes.ts';
import type { Shell } from './shell.ts';
import { publicKeysMeant, type TrustFlags } from './trust.ts';

export type Signature = Awaited<ReturnType<typeof checkSigned>>;

/** By set: whether its manifest is signed by the keys given. Undefined where none were: then nothing is claimed. */
export async function signaturesOf(
  shell: Shell,
  flags: TrustFlags,
  vault: Vault,
  sets: readonly StoredSet[],
): Promise<ReadonlyMap<string, Signature> | undefined> {
  if (flags.publicKey === undefined) return undefined;
  const trust = await trustFrom(vault, await publicKeysMeant(shell, flags));
  const signatures = new Map<string, Signature>();
  for (const { id, manifest } of sets) {
    const { key, bytes, value } = manifest;
    const signature = await checkSigned(vault, trust, value.signer, bytes, (digest) => signatureKey(key, digest));
    signatures.set(id, signature);
  }
  return signatures;
}

const EXIT: Readonly<Record<Signature, ExitCode>> = { good: 0, wrong: 1, missing: 1, untrusted: 3 };

export const signaturesExit = (signatures: ReadonlyMap<string, Signature> | undefined): ExitCode =>
  worstOf([...(signatures?.values() ?? [])].map((signature) => EXIT[signature]));
