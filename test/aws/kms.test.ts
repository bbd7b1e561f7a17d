import {
  createCipheriv,
  createDecipheriv,
  createHash,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  sign,
} from 'node:crypto';
import {
  DecryptCommand,
  GenerateDataKeyCommand,
  GetPublicKeyCommand,
  KMSClient,
  SignCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { EnvelopeDamaged, kmsEnvelope, kmsUnwrap, openKmsEnvelope } from '../../aws/kms-envelope.ts';
import { kmsSigner } from '../../aws/kms-signer.ts';
import { canonicalBytes } from '../../core/canonical.ts';
import { fingerprintOf, verifySignature } from '../../io/signatures.ts';
import { collect, cut, sample } from '../support/bytes.ts';
import { failureOf, said } from '../support/said.ts';

const ARN = 'arn:aws:kms:eu-central-1:111111111111:key/11111111-2222-3333-4444-555555555555';
const CONTEXT = { network: 'acme', node: 'validator-1', slot: 's', component: 'identities', content: 'json' };
const awsError = (name: string) => Object.assign(new Error('denied'), { name });

/** Wraps data keys under a master key bound to the encryption context, as KMS does; keeps the plain keys it gave out. */
function fakeKms() {
  const client = new KMSClient({ region: 'eu-central-1' });
  const mock = mockClient(client);
  const master = randomBytes(32);
  const given: Uint8Array[] = [];
  const keyFor = (context: object) => Buffer.from(hkdfSync('sha256', master, canonicalBytes(context), 'wrap', 32));
  mock.on(GenerateDataKeyCommand).callsFake(({ KeyId, EncryptionContext }) => {
    const plain = randomBytes(32);
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', keyFor(EncryptionContext), iv);
    const wrapped = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    given.push(plain);
    return { KeyId, Plaintext: plain, CiphertextBlob: wrapped };
  });
  mock.on(DecryptCommand).callsFake(({ CiphertextBlob, EncryptionContext }) => {
    const blob = Buffer.from(CiphertextBlob);
    const decipher = createDecipheriv('aes-256-gcm', keyFor(EncryptionContext), blob.subarray(0, 12));
    decipher.setAuthTag(blob.subarray(-16));
    try {
      const plain = Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]);
      given.push(plain);
      return { Plaintext: plain };
    } catch {
      throw awsError('InvalidCiphertextException');
    }
  });
  return { client, mock, given };
}

/** A reader written from docs/formats/kms-envelope-v1.md alone. */
function readByTheDocument(file: Buffer, dataKey: Uint8Array): Buffer {
  const headEnd = file.indexOf('\n', file.indexOf('\n') + 1) + 1;
  const aad = createHash('sha256').update(file.subarray(0, headEnd)).digest();
  const plain: Buffer[] = [];
  for (let number = 0, at = headEnd; at < file.length; number++, at += 65_552) {
    const chunk = file.subarray(at, at + 65_552);
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(number, 7);
    nonce[11] = at + 65_552 >= file.length ? 1 : 0;
    const decipher = createDecipheriv('aes-256-gcm', dataKey, nonce).setAAD(aad).setAuthTag(chunk.subarray(-16));
    plain.push(decipher.update(chunk.subarray(0, -16)), decipher.final());
  }
  return Buffer.concat(plain);
}

const seal = (client: KMSClient, plain: Uint8Array) =>
  collect(kmsEnvelope(client, ARN).filter(CONTEXT)(cut(plain, 50_000)));

describe('kmsEnvelope', () => {
  test.each([0, 1, 65_535, 65_536, 65_537, 300_000])('gives back %i bytes, and forgets the data keys', async (size) => {
    const { client, given } = fakeKms();
    const sealed = await seal(client, sample(size));
    const opened = await collect(openKmsEnvelope(kmsUnwrap(client), { node: 'validator-1' })(cut(sealed, 777)));
    expect(opened.equals(sample(size))).toBe(true);
    expect(given.map((key) => key.every((byte) => byte === 0))).toEqual([true, true]);
  });

  test('is written as its document says', async () => {
    const { client, mock } = fakeKms();
    const key = randomBytes(32);
    mock
      .on(GenerateDataKeyCommand)
      .resolves({ KeyId: ARN, Plaintext: Buffer.from(key), CiphertextBlob: Buffer.from('wrapped') });
    const sealed = await seal(client, sample(200_000));
    const [magic, header] = sealed.toString('latin1').split('\n');
    expect(magic).toBe('ledgerhold/kms-envelope/1');
    expect(JSON.parse(header ?? '')).toEqual({
      chunkBytes: 65_536,
      cipher: 'AES-256-GCM',
      context: CONTEXT,
      dataKey: Buffer.from('wrapped').toString('base64'),
      key: ARN,
    });
    expect(readByTheDocument(sealed, key).equals(sample(200_000))).toBe(true);
  });

  test('asks KMS with the context, and makes a data key for each file', async () => {
    const { client, mock } = fakeKms();
    const [one, two] = [await seal(client, sample(9)), await seal(client, sample(9))];
    expect(one.subarray(-25).equals(two.subarray(-25))).toBe(false);
    const calls = mock.commandCalls(GenerateDataKeyCommand).map(({ args }) => args[0].input);
    expect(calls).toEqual(Array(2).fill({ KeyId: ARN, KeySpec: 'AES_256', EncryptionContext: CONTEXT }));
  });

  test('each single flipped bit is found', async () => {
    const { client } = fakeKms();
    const sealed = await seal(client, sample(40));
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = Buffer.from(sealed);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const error = await failureOf(collect(openKmsEnvelope(kmsUnwrap(client))(cut(flipped, 500))));
      expect(error).toBeInstanceOf(EnvelopeDamaged);
    }
  });

  test('cut, swapped and repeated chunks are found', async () => {
    const { client } = fakeKms();
    const sealed = await seal(client, sample(3 * 65_536));
    const head = sealed.length - 3 * 65_552;
    const part = (n: number) => sealed.subarray(head + n * 65_552, head + (n + 1) * 65_552);
    const start = sealed.subarray(0, head);
    const wrong = [
      [],
      [part(0)],
      [part(0), part(1)],
      [part(1), part(0), part(2)],
      [part(0), part(0), part(1), part(2)],
    ];
    for (const parts of [...wrong, [part(0), part(2)], [part(0), part(1), part(2), part(2)]]) {
      const opened = collect(openKmsEnvelope(kmsUnwrap(client))(cut(Buffer.concat([start, ...parts]), 9999)));
      await expect(opened).rejects.toThrow(EnvelopeDamaged);
    }
    for (const length of [0, 10, 26, head - 1, sealed.length - 1]) {
      const opened = collect(openKmsEnvelope(kmsUnwrap(client))(cut(sealed.subarray(0, length), 9999)));
      await expect(opened).rejects.toThrow(EnvelopeDamaged);
    }
  });

  test('a file of another node is told before its key is asked for', async () => {
    const { client, mock } = fakeKms();
    const sealed = await seal(client, sample(9));
    const opened = collect(openKmsEnvelope(kmsUnwrap(client), { node: 'validator-2' })(cut(sealed, 100)));
    await expect(opened).rejects.toThrow("it was made for node 'validator-1'");
    expect(mock.commandCalls(DecryptCommand)).toHaveLength(0);
  });

  test.each([
    ['AccessDeniedException', 'KmsKeyUnusable', 'usage'],
    ['NotFoundException', 'KmsKeyUnusable', 'usage'],
    ['ThrottlingException', 'KmsUnavailable', 'external'],
    ['TimeoutError', 'KmsUnavailable', 'external'],
  ])('%s while sealing is %s', async (awsName, name, kind) => {
    const { client, mock } = fakeKms();
    mock.on(GenerateDataKeyCommand).rejects(awsError(awsName));
    const error = await failureOf(seal(client, Buffer.from('sentinel')));
    expect(error).toMatchObject({ name, kind });
    expect(said(error)).not.toContain('sentinel');
  });
});

describe('kmsSigner', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const bytes = Buffer.from('a manifest');

  function kmsWith(KeySpec: 'ECC_NIST_P256' | 'ECC_SECG_P256K1') {
    const client = new KMSClient({ region: 'eu-central-1' });
    const mock = mockClient(client);
    mock.on(GetPublicKeyCommand).resolves({ KeySpec, PublicKey: publicKey.export({ type: 'spki', format: 'der' }) });
    // Node signs no digests, so the fake looks up what the digest is of.
    const known = new Map([[createHash('sha256').update(bytes).digest('hex'), bytes]]);
    mock.on(SignCommand).callsFake(({ Message, MessageType, SigningAlgorithm }) => {
      const signed = known.get(Buffer.from(Message).toString('hex'));
      if (signed === undefined || MessageType !== 'DIGEST' || SigningAlgorithm !== 'ECDSA_SHA_256') throw awsError('X');
      return { Signature: sign('sha256', signed, privateKey) };
    });
    return { client, mock };
  }

  test('sends the digest, and gives a signature over the bytes', async () => {
    const signer = kmsSigner(kmsWith('ECC_NIST_P256').client, 'alias/signing');
    expect(await signer.publicKeyPem()).toBe(pem);
    expect(await signer.fingerprint()).toBe(fingerprintOf(pem));
    expect(verifySignature(pem, bytes, await signer.sign(bytes))).toBe(true);
  });

  test('asks for the public key once, and again only after a failure', async () => {
    const { client, mock } = kmsWith('ECC_NIST_P256');
    const answer = { KeySpec: 'ECC_NIST_P256', PublicKey: publicKey.export({ type: 'spki', format: 'der' }) } as const;
    mock.on(GetPublicKeyCommand).rejectsOnce(awsError('ThrottlingException')).resolves(answer);
    const signer = kmsSigner(client, 'alias/signing');
    await expect(signer.fingerprint()).rejects.toMatchObject({ name: 'KmsUnavailable' });
    await signer.fingerprint();
    await signer.publicKeyPem();
    expect(mock.commandCalls(GetPublicKeyCommand)).toHaveLength(2);
  });

  test('a key of another curve is refused by name', async () => {
    const signer = kmsSigner(kmsWith('ECC_SECG_P256K1').client, 'alias/signing');
    await expect(signer.publicKeyPem()).rejects.toMatchObject({ name: 'KmsKeyUnusable' });
  });
});
