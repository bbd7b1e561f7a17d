import { KMSClient } from '@aws-sdk/client-kms';
import { kmsSigner } from '../../aws/kms-signer.ts';
import { openS3Destination } from '../../aws/open.ts';
import { isOnAws } from '../../core/destination.ts';
import { TURN_SECONDS } from '../../core/member-calls.ts';
import { destinationOnAws, refusing } from '../../core/member-destinations.ts';
import { NetworkName } from '../../core/names.ts';
import { listBeside } from '../list-beside.ts';
import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { DeliveryList, deliverMember } from './contract.ts';
import { run } from './run.ts';

/** Of the 14 minutes that a call has, one is left to take back what was not copied, and to write the receipt. */
const COPY_WITHIN = 4 * 60_000;

export const handler = serve(deliverMember, run, (env, journal) => {
  const { vault, clock } = vaultPorts(env);
  const { VAULT_BUCKET: bucket, VAULT_PREFIX: prefix, VAULT_ACCOUNT: account, VAULT_KEY: kmsKey } = env;
  const region = process.env['AWS_REGION'];
  const { members } = listBeside(import.meta.dirname, DeliveryList);
  const source = { bucket, prefix, account, kmsKey, region };
  return {
    ...{ vault, clock, journal, turn: TURN_SECONDS * 1000, network: NetworkName.parse(env.NETWORK), by: 'delivery' },
    signer: kmsSigner(new KMSClient(), env.SIGNING_KEY),
    serves: ({ destination }) => isOnAws(destination),
    destinationOf: (member) => {
      const destination = destinationOnAws(member, members);
      if (!('bucket' in destination)) return refusing(`the destination of ${member.member}`, destination);
      const { network, member: id, wasSound } = member;
      return openS3Destination(
        { destination, network, member: id, wasSound, roleArn: env.DELIVERY_ROLE, source, copyWithin: COPY_WITHIN },
        clock,
      );
    },
  };
});
