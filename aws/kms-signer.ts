import { createHash, createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { Signer } from '../core/ports.ts';
import { fingerprintOf } from '../io/signatures.ts';
import { callKms, KmsKeyUnusable } from './kms-errors.ts';

/**
 * Signs with an ECC_NIST_P256 key in KMS, by id, ARN or alias. Only digests go there: `Sign` takes at most 4,096 bytes.
 * Rejects with `KmsKeyUnusable` or `KmsUnavailable`.
 */
export function kmsSigner(client: KMSClient, keyId: string): Signer {
  let kept: string | undefined;
  const publicKeyPem = async () => {
    kept ??= await fetchPublicKey(client, keyId);
    return kept;
  };
  return {
    publicKeyPem,
    fingerprint: async () => fingerprintOf(await publicKeyPem()),
    sign: (bytes) => sign(client, keyId, createHash('sha256').update(bytes).digest()),
  };
}

async function sign(client: KMSClient, keyId: string, digest: Uint8Array): Promise<Uint8Array> {
  const command = new SignCommand({
    KeyId: keyId,
    Message: digest,
    MessageType: 'DIGEST',
    SigningAlgorithm: 'ECDSA_SHA_256',
  });
  const { Signature } = await callKms(keyId, () => client.send(command));
  if (Signature === undefined) throw new KmsKeyUnusable(keyId, 'it gave no signature');
  return Signature;
}

async function fetchPublicKey(client: KMSClient, keyId: string): Promise<string> {
  const { KeySpec, PublicKey } = await callKms(keyId, () => client.send(new GetPublicKeyCommand({ KeyId: keyId })));
  if (KeySpec !== 'ECC_NIST_P256' || PublicKey === undefined) {
    throw new KmsKeyUnusable(keyId, `its spec is ${KeySpec}, not ECC_NIST_P256`);
  }
  const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
  return key.export({ type: 'spki', format: 'pem' }).toString();
}
