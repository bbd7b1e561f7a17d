import { createHash, randomBytes } from 'node:crypto';

/** A participant's id with a namespace made of `name`. */
export const participantId = (name: string): string =>
  `PAR::${name}::1220${createHash('sha256').update(name).digest('hex')}`;

const base64 = (size: number): string => randomBytes(size).toString('base64');

/** An identities dump as a validator answers it, with throw-away keys. `snapshotBytes` gives its size. */
export function identitiesDump(name = 'alice', snapshotBytes = 2000) {
  const key = (purpose: string) => ({ keyPair: base64(180), name: `${name}-${purpose}` });
  return {
    id: participantId(name),
    keys: [key('namespace'), key('signing'), key('encryption')] as object[],
    authorizedStoreSnapshot: base64(snapshotBytes),
    version: '0.6.7',
  };
}

export function kmsDump(name = 'alice') {
  const key = (type: string, keyName: string) => ({ type, keyId: `key-of-${keyName}`, name: keyName });
  const keys = [key('signing', 'namespace'), key('signing', 'signing'), key('encryption', 'encryption')];
  return { ...identitiesDump(name), keys: keys as object[] };
}
