import type { DeployedSource } from '../../aws/deployed-captures.ts';
import { type LambdaStorage, type Store, takenInLambda } from '../../aws/lambda-captures.ts';
import { rdsSource } from '../../aws/rds-captures.ts';
import type { RdsReach, RdsSource } from '../../aws/rds-source.ts';
import { readSecretValue } from '../../aws/read-secret.ts';
import type { Clock } from '../../core/ports.ts';
import type { Captured } from '../../core/receipts.ts';
import { guardedHttp } from '../../io/http.ts';
import type { Outbound } from '../../io/http-guard.ts';
import { captureIdentities, identitiesEndpoint } from '../../protocols/splice/identities.ts';
import { scanFacts } from '../../protocols/splice/scan.ts';
import type { CaptureSource, IdentitiesSource } from './sources.ts';

/** All that the kinds of capture need of where they are deployed. */
export interface Reach extends LambdaStorage, RdsReach {}

/** How a configured source is taken here. */
export function deployedSource(source: CaptureSource | undefined, reach: Reach): DeployedSource | undefined {
  if (source === undefined) return undefined;
  if ('elsewhere' in source) return source.elsewhere;
  if ('rds' in source) return rdsSource(named(source.rds), reach);
  const { identities } = source;
  const at = identitiesEndpoint(identities);
  const take = (store: Store) => takeIdentities(identities, reach.clock, store);
  return takenInLambda({ kind: 'identities', at, take }, reach);
}

const named = (rds: Extract<CaptureSource, { rds: unknown }>['rds']): RdsSource =>
  'cluster' in rds ? { kind: 'cluster', id: rds.cluster } : { kind: 'instance', id: rds.instance };

async function takeIdentities(source: IdentitiesSource, clock: Clock, store: Store): Promise<Captured> {
  const { url, auth, participant, scan } = source;
  const http = guardedHttp(outboundOf(source));
  const { clientSecretArn, ...client } = auth;
  const credentials = { ...client, clientSecret: () => readSecretValue(clientSecretArn) };
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
