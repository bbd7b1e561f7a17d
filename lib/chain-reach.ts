import type { Role } from 'aws-cdk-lib/aws-iam';
import type { VpcPlace } from '../config/nodes.ts';
import { LedgerholdError } from '../core/errors.ts';
import type { DeployedChain } from '../lambdas/deployed-chain.ts';
import { allow } from './grants.ts';

/** How the steps of a chain's workflow reach its nodes: what their environment says, and the rights that go with it. */
export interface ChainReach {
  /** The value of `CHAINS`. */
  readonly chains: string;
  readonly blocksPerFile: number;
  readonly vpc: VpcPlace | undefined;
  readonly grant: (role: Role) => void;
}

/** Of the 4 KB that Lambda gives to all variables together. */
const LIMIT = 3_300;

/** More validators than a Lambda's environment can name. */
export class ChainTooWide extends LedgerholdError {
  override readonly name = 'ChainTooWide';
  readonly kind = 'usage';
}

export function chainReach(node: string, chain: DeployedChain, vpc: VpcPlace | undefined): ChainReach {
  const chains = JSON.stringify({ [node]: chain });
  if (Buffer.byteLength(chains) > LIMIT) {
    throw new ChainTooWide(
      `the addresses of ${node} are ${Buffer.byteLength(chains)} bytes, and a Lambda's environment has room for ${LIMIT}`,
      'Name fewer validators: as many as `agreement` demands, and some more, are enough.',
    );
  }
  const secrets = [chain.monitor, ...chain.validators].flatMap((each) => ('secretArn' in each ? [each.secretArn] : []));
  return {
    ...{ chains, blocksPerFile: chain.blocksPerFile, vpc },
    grant: (role) =>
      allow(role, {
        because: 'Addresses of nodes that hold a key are secrets, which the configuration names.',
        actions: ['secretsmanager:GetSecretValue'],
        resources: secrets,
      }),
  };
}
