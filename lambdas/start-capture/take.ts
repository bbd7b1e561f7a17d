import type { LambdaSource, Store } from '../../aws/lambda-captures.ts';
import { readSecretValue } from '../../aws/read-secret.ts';
import type { Clock } from '../../core/ports.ts';
import type { Captured } from '../../core/receipts.ts';
import { guardedHttp } from '../../io/http.ts';
import { captureIdentities, identitiesEndpoint } from '../../protocols/splice/identities.ts';
import { scanFacts } from '../../protocols/splice/scan.ts';
import type { CaptureSource, IdentitiesSource } from './sources.ts';

/** How a configured source is taken here. */
export function lambdaSource(source: CaptureSource | undefined, clock: Clock): LambdaSource | undefined {
  if (source === undefined) return undefined;
  if ('elsewhere' in source) return source.elsewhere;
  const { identities } = source;
  return {
    kind: 'identities',
    at: identitiesEndpoint(identities),
    take: (store) => takeIdentities(identities, clock, store),
  };
}

async function takeIdentities(source: IdentitiesSource, clock: Clock, store: Store): Promise<Captured> {
  const { url, auth, participant, scan } = source;
  const called = [url, auth.tokenUrl, ...(scan === undefined ? [] : [scan])];
  // Public HTTPS hosts only: a Lambda has no business with private addresses.
  const http = guardedHttp({ origins: [], hosts: called.map((each) => new URL(each).hostname) });
  const { clientSecretArn, ...client } = auth;
  const credentials = { ...client, clientSecret: () => readSecretValue(clientSecretArn) };
  const calls = { http, now: () => clock.now() };
  const captured = await captureIdentities({ url, auth: credentials, registered: participant }, calls, store);
  return scan === undefined
    ? captured
    : { ...captured, notes: { ...captured.notes, ...(await scanFacts(scan, http)) } };
}
