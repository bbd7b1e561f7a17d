/** Where things lie in a vault, version 1. The words and bytes are specified in `docs/formats/vault-v1.md`. */

const pad = (n: number): string => String(n).padStart(8, '0');

export const FORMAT_KEY = 'format.json';
export const VAULT_FORMAT = 'ledgerhold/vault/1';

export const publicKeyKey = (fingerprint: string): string => `keys/${fingerprint}.pem`;
/** `endorser`'s signature over the bytes of `keys/<fingerprint>.pem`. */
export const endorsementKey = (fingerprint: string, endorser: string): string =>
  `keys/${fingerprint}.endorsed-by-${endorser}.sig`;

/** Which key an endorsement's name is about, and whose it is; undefined for any other name. */
export function endorsementsIn(key: string): { readonly fingerprint: string; readonly by: string } | undefined {
  const [, fingerprint, by] = /^keys\/([0-9a-f]{64})\.endorsed-by-([0-9a-f]{64})\.sig$/.exec(key) ?? [];
  return fingerprint === undefined || by === undefined ? undefined : { fingerprint, by };
}

export const runsPrefix = (node: string, slot: string): string => `sets/${node}/runs/${slot}/`;
export const runPrefix = (node: string, slot: string, fence: number): string => `${runsPrefix(node, slot)}${fence}/`;
export const receiptKey = (
  run: { readonly node: string; readonly slot: string; readonly fence: number },
  component: string,
  half: 'start' | 'end',
): string => `${runPrefix(run.node, run.slot, run.fence)}receipts/${component}.${half}.json`;

/** What the task that takes one component's dump leaves beside it: heartbeats by number, and its result. */
export const taskPrefix = (run: { node: string; slot: string; fence: number }, component: string): string =>
  `${runPrefix(run.node, run.slot, run.fence)}tasks/${component}/`;
export const heartbeatKey = (
  run: { node: string; slot: string; fence: number },
  component: string,
  n: number,
): string => `${taskPrefix(run, component)}${pad(n)}.json`;
export const taskResultKey = (run: { node: string; slot: string; fence: number }, component: string): string =>
  `${taskPrefix(run, component)}result.json`;

/** In a second vault alone: where the copy of a component's snapshot lies. */
export const copyKey = (run: { node: string; slot: string; fence: number }, component: string): string =>
  `${runPrefix(run.node, run.slot, run.fence)}copies/${component}.json`;

export const manifestsPrefix = (node: string): string => `sets/${node}/manifests/`;
export const manifestKey = (node: string, seq: number): string => `${manifestsPrefix(node)}${pad(seq)}.json`;
export const tombstoneKey = (node: string, seq: number): string => `sets/${node}/tombstones/${pad(seq)}.json`;
/** A signed document's signature lies beside it and names the digest of the signed bytes. */
export const signatureKey = (documentKey: string, digest: string): string =>
  documentKey.replace(/\.json$/, `-${digest}.sig`);

export const tombstonesPrefix = (node: string): string => `sets/${node}/tombstones/`;

/** A chain's own history, apart from the sets: members see it. */
export const chainPrefix = (node: string): string => `chain/${node}/`;
export const chainFileKey = (node: string, name: string): string => `${chainPrefix(node)}${name}`;
/** `name` is a chain file's: a record lies under the name of its file. A prefix of names lists what begins so. */
export const recordsPrefix = (node: string, name = ''): string => `${chainPrefix(node)}records/${name}`;
export const recordKey = (node: string, name: string): string => `${recordsPrefix(node, name)}.json`;
export const chainManifestsPrefix = (node: string): string => `${chainPrefix(node)}manifests/`;
export const chainManifestKey = (node: string, seq: number): string => `${chainManifestsPrefix(node)}${pad(seq)}.json`;
export const chainRunsPrefix = (node: string, slot: string): string => `${chainPrefix(node)}runs/${slot}/`;
/** What one attempt found agreed before it read the first block. */
export const agreementKey = (run: { node: string; slot: string; fence: number }): string =>
  `${chainRunsPrefix(run.node, run.slot)}${run.fence}/agreement.json`;

export const leasesPrefix = (node: string, slot?: string): string =>
  slot === undefined ? `leases/${node}/` : `leases/${node}/${slot}/`;
export const leaseKey = (node: string, slot: string, version: number): string =>
  `${leasesPrefix(node, slot)}${pad(version)}.json`;

export const drillsPrefix = (node: string): string => `drills/${node}/`;
export const drillKey = (node: string, n: number): string => `${drillsPrefix(node)}${pad(n)}.json`;

export const holdsPrefix = (node: string): string => `holds/${node}/`;
export const holdKey = (node: string, n: number): string => `${holdsPrefix(node)}${pad(n)}.json`;

export const settingsPrefix = (node: string): string => `settings/${node}/`;
/** Version `n` of a chain's settings. */
export const settingsKey = (node: string, n: number): string => `${settingsPrefix(node)}${pad(n)}.json`;

export const membersPrefix = (member?: string): string => (member === undefined ? 'members/' : `members/${member}/`);
/** Version `n` of a member. */
export const memberKey = (member: string, n: number): string => `${membersPrefix(member)}${pad(n)}.json`;
export const deliveriesPrefix = (member: string): string => `deliveries/${member}/`;
export const deliveryKey = (member: string, seq: number): string => `${deliveriesPrefix(member)}${pad(seq)}.json`;
export const proofsPrefix = (member: string): string => `proofs/${member}/`;
/** What was read back at a member in one turn. */
export const proofKey = (member: string, seq: number): string => `${proofsPrefix(member)}${pad(seq)}.json`;

/** The number in a key that ends in `<number>.json`; undefined for any other key. */
export function numberOf(key: string): number | undefined {
  const digits = /\/(\d{8})\.json$/.exec(key)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
