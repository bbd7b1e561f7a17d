import type { AnyNode, IdentitiesConfig, SpliceNode } from './nodes.ts';
import { isDatabaseNode } from './order.ts';
import type { Config } from './schema.ts';

/**
 * Whether a node's runs happen on AWS: the config says where the network is deployed, and what is deployed there reaches
 * all of the node. Any other node is backed up by the machine that `backup` and `serve` run on.
 */
export function runsOnAws({ aws }: Config, node: AnyNode): boolean {
  if (aws === undefined || !isDatabaseNode(node)) return false;
  if (Object.values(node.components).some(({ postgres }) => postgres !== undefined)) return false;
  return node.protocol !== 'splice' || identitiesFromAws(node) !== undefined;
}

/**
 * How a Lambda fetches a node's identities: over HTTPS, from private addresses if it stands in the node's network, with a
 * secret that is in Secrets Manager; else undefined.
 */
export function identitiesFromAws({ identities: { url, auth }, participant, scan, vpc }: SpliceNode) {
  const called = [url, ...('tokenUrl' in auth ? [auth.tokenUrl] : []), ...(scan === undefined ? [] : [scan])];
  const secret = secretArn(auth);
  if (secret === undefined || called.some((each) => !each.startsWith('https:'))) return undefined;
  const more = { ...(participant && { participant }), ...(scan && { scan }), ...(vpc && { private: true as const }) };
  return { url, auth: secret, ...more };
}

function secretArn(auth: IdentitiesConfig['auth']) {
  if ('unsafe' in auth) return undefined;
  const { tokenUrl, clientId, clientSecret, audience, scope } = auth;
  const arn = clientSecret.secretsManager;
  if (arn?.startsWith('arn:') !== true) return undefined;
  return { tokenUrl, clientId, clientSecretArn: arn, ...(audience && { audience }), ...(scope && { scope }) };
}
