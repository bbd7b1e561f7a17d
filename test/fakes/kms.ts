import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { canonicalBytes } from '../../core/canonical.ts';
import { type JsonOperation, ServiceFault } from '../support/aws-json.ts';

/** Data keys as KMS gives and opens them, each bound to its encryption context. */
export function fakeKms(): Readonly<Record<string, JsonOperation>> {
  const master = randomBytes(32);
  const keyFor = (context: object) => Buffer.from(hkdfSync('sha256', master, canonicalBytes(context), 'wrap', 32));
  return {
    GenerateDataKey: ({ KeyId, EncryptionContext }: { KeyId: string; EncryptionContext: object }) => {
      const [plain, iv] = [randomBytes(32), randomBytes(12)];
      const cipher = createCipheriv('aes-256-gcm', keyFor(EncryptionContext), iv);
      const wrapped = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return { KeyId, Plaintext: plain.toString('base64'), CiphertextBlob: wrapped.toString('base64') };
    },
    Decrypt: ({ CiphertextBlob, EncryptionContext }: { CiphertextBlob: string; EncryptionContext: object }) => {
      const blob = Buffer.from(CiphertextBlob, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', keyFor(EncryptionContext), blob.subarray(0, 12));
      decipher.setAuthTag(blob.subarray(-16));
      try {
        const plain = Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]);
        return { Plaintext: plain.toString('base64') };
      } catch {
        throw new ServiceFault('InvalidCiphertextException');
      }
    },
  };
}
