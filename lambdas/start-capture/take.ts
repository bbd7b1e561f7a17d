import type { ECSClient } from '@aws-sdk/client-ecs';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { DeployedSource } from '../../aws/deployed-captures.ts';
import { type DumpPlace, dumpedInTask } from '../../aws/dump-captures.ts';
import { type LambdaStorage, type Store, takenInLambda } from '../../aws/lambda-captures.ts';
import { rdsSource } from '../../aws/rds-captures.ts';
import type { RdsReach } from '../../aws/rds-source.ts';
import { readSecretValue } from '../../aws/read-secret.ts';
import { storeCandidate } from '../../aws/secrets-store.ts';
import {
  type CaptureSource,
  type DumpedDatabase,
  type IdentitiesSource,
  rdsNamed,
} from '../../core/capture-sources.ts';
import { identitiesSecretName } from '../../core/deployed-names.ts';
import { notesOfSecret, type StoredSecret } from '../../core/identities-secret.ts';
import type { CaptureOrder } from '../../core/ports.ts';
import type { Captured } from '../../core/receipts.ts';
import { guardedHttp, type Http } from '../../io/http.ts';
import type { Outbound } from '../../io/http-guard.ts';
import { captureIdentities, identitiesEndpoint } from '../../protocols/splice/identities.ts';
import { scanFacts } from '../../protocols/splice/scan.ts';

/** All that the kinds of capture need of where they are deployed. */
export interface Reach extends LambdaStorage, RdsReach {
  readonly secrets: SecretsManagerClient;
  /** Default: guarded calls over the network. */
  readonly http?: (outbound: Outbound) => Http;
  readonly ecs: ECSClient;
  /** Where tasks of the component's node run; absent where none do. */
  readonly place: DumpPlace | undefined;
}

/** How a configured source is taken here. */
export function deployedSource(source: CaptureSource | undefined, reach: Reach): DeployedSource | undefined {
  if (source === undefined) return undefined;
  if ('elsewhere' in source) return source.elsewhere;
  if ('rds' in source) return rdsSource(rdsNamed(source.rds), reach);
  if ('dump' in source) return dumped(source.dump, reach);
  const { identities } = source;
  const at = identitiesEndpoint(identities);
  const take = async (store: Store, order: CaptureOrder) =>
    withCandidate(order, store, reach, (both) => takeIdentities(identities, reach, both));
  return takenInLambda({ kind: 'identities', at, take }, reach);
}

function dumped({ at, database }: DumpedDatabase, { place, ecs, clock }: Reach): DeployedSource {
  // Without `start` it is out of reach, and the run says so.
  return place === undefined ? { kind: 'postgres', at } : dumpedInTask({ at, database, place }, { ecs, clock });
}

/**
 * What `take` stores in the vault, having validated it, is put into the node's secret as a candidate at once: within the
 * call, while the bytes are there. The receipt says which version it became; the promoter goes by that alone.
 */
async function withCandidate(
  order: CaptureOrder,
  store: Store,
  { secrets }: Reach,
  take: (store: Store) => Promise<Captured>,
): Promise<Captured> {
  let stored: StoredSecret | undefined;
  const captured = await take(async (bytes, form) => {
    const artifact = await store(bytes, form);
    const secretId = identitiesSecretName(order.network, order.node);
    stored = await storeCandidate(secrets, secretId, order, bytes, artifact);
    return artifact;
  });
  return stored === undefined ? captured : { ...captured, notes: { ...captured.notes, ...notesOfSecret(stored) } };
}

async function takeIdentities(
  source: IdentitiesSource,
  { clock, secrets, http: httpTo = guardedHttp }: Reach,
  store: Store,
): Promise<Captured> {
  const { url, auth, participant, scan } = source;
  const http = httpTo(outboundOf(source));
  const { clientSecretArn, ...client } = auth;
  const credentials = { ...client, clientSecret: () => readSecretValue(clientSecretArn, secrets) };
  const calls = { http, now: () => clock.now() };
  const captured = await captureIdentities({ url, auth: credentials, registered: participant }, calls, store);
  return scan === undefined
    ? captured
    : { ...captured, notes: { ...captured.notes, ...(await scanFacts(scan, http)) } };
}

/** HTTPS hosts that the config names; private addresses only where it puts the node into a private network. */
export function outboundOf({ url, auth, scan, private: inside }: IdentitiesSource): Outbound {
  const called = [url, auth.tokenUrl, ...(scan === undefined ? [] : [scan])].map((each) => new URL(each));
  return {
    origins: inside === true ? called.map(({ origin }) => origin) : [],
    hosts: called.map((each) => each.hostname),
  };
}
