import { createHash, generateKeyPairSync } from 'node:crypto';

/** One of a participant's long-term keys, in clear, as Canton keeps them by default. */
export interface DemoKey {
  readonly name: string;
  readonly purpose: 'namespace' | 'signing' | 'encryption';
  /** Canton's form: `1220` (SHA-256, 32 bytes) and 64 hex digits. */
  readonly fingerprint: string;
  /** What Canton would store as a serialized key pair. */
  readonly keyPair: Uint8Array;
}

/** Who the toy validator is, in its database and to whoever asks its endpoint. */
export interface DemoParticipant {
  /** `PAR::<identifier>::<namespace>`. */
  readonly id: string;
  readonly identifier: string;
  /** The fingerprint of the namespace's key. */
  readonly namespace: string;
  readonly keys: readonly DemoKey[];
}

const PURPOSES = ['namespace', 'signing', 'encryption'] as const;

/** A participant with fresh keys, or with the given ones, such as sentinels to be looked for later. */
export function demoParticipant(
  identifier: string,
  keyPairFor: (purpose: DemoKey['purpose']) => Uint8Array = freshKeyPair,
): DemoParticipant {
  const keys = PURPOSES.map((purpose) => {
    const keyPair = keyPairFor(purpose);
    return { name: `${identifier}-${purpose}`, purpose, fingerprint: fingerprintOf(keyPair), keyPair };
  });
  const namespace = keys.find((key) => key.purpose === 'namespace')?.fingerprint ?? '';
  return { id: `PAR::${identifier}::${namespace}`, identifier, namespace, keys };
}

function freshKeyPair(purpose: DemoKey['purpose']): Uint8Array {
  const { privateKey } = purpose === 'encryption' ? generateKeyPairSync('x25519') : generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'der' });
}

/** Stands in for Canton's hash of the public half. */
function fingerprintOf(keyPair: Uint8Array): string {
  return `1220${createHash('sha256').update('public half of ').update(keyPair).digest('hex')}`;
}
