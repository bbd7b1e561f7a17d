import { IAMClient } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { s3Vault } from '../../aws/s3-vault.ts';
import { chainMachineName, deliveryMachineName, memberAtWork, memberMachineName } from '../../core/deployed-names.ts';
import { stateMachineArn } from '../../core/executions.ts';
import { memberPolicy } from '../../core/member-policy.ts';
import type { MemberAct } from '../../core/members.ts';
import { memberPrefix, NetworkName } from '../../core/names.ts';
import { actOn, readMember } from '../../vault/members.ts';
import { ethereumNode } from '../fakes/ethereum-node.ts';
import { toyChain } from './chain-writer.ts';
import { deployedApp, type Ended, execute } from './deployed-app.ts';
import { COMMON } from './deployed-network.ts';
import { ACCOUNT, REGION, startMinistack } from './ministack.ts';
import { soon } from './processes.ts';
import { branch } from './toy-network.ts';
import { aboutAws, changeSchedule, schedulesOf } from './watched-network.ts';
import { withholdGrant } from './withhold-grant.ts';

const NETWORK = NetworkName.parse('acme');
const NODE = 'consortium';

const configOf = (rpc: string) => `${COMMON}
nodes:
  - name: ${NODE}
    protocol: ethereum
    client: geth
    enabled: true
    confirmations: 0
    monitor: { rpc: '${rpc}' }
    validators: [ { name: bank-a, rpc: '${rpc}' } ]
members:
${[...'abcdefghijk'].map((letter) => `  - { id: bank-${letter}, account: '${ACCOUNT}', bucket: bank-${letter}-files, region: ${REGION} }`).join('\n')}
`;

/**
 * A network with one chain and its deliveries, deployed to an emulator where IAM decides about every call. Members are in
 * the operator's own account: no call of the emulator copies from one account to another.
 */
export async function deployMembers(python: string) {
  const { blocks } = await toyChain(branch(60, 1));
  const node = await ethereumNode({ blocks, head: 9 });
  const ministack = await startMinistack(python, { enforced: true });
  const app = await deployedApp(ministack, configOf(node.url), { 'ledgerhold:no-composite': 'true' });
  await app.cdk('bootstrap', `aws://${ACCOUNT}/${REGION}`);
  await app.cdk('deploy', '--all', '--require-approval', 'never');
  const s3 = new S3Client({ ...ministack.connection, forcePathStyle: true });
  const [sfn, iam] = [new SFNClient(ministack.connection), new IAMClient(ministack.connection)];
  const [bucket = '', prefix = ''] = (await app.output('Vault')).replace('s3://', '').split('/');
  const vault = s3Vault({ client: s3, bucket, prefix });
  const arn = (name: string) => stateMachineArn({ account: ACCOUNT, region: REGION }, name);
  const registry = { vault, clock: { now: () => new Date() }, network: NETWORK, by: 'a test' };
  const act = (member: string, what: MemberAct) => actOn(registry, member, what);
  const share = (member: string) =>
    s3Vault({ client: s3, bucket: `${member}-files`, prefix: memberPrefix(NETWORK, member) });
  const sealed = `chain/${NODE}/manifests/`;
  const manifests = async (of: ReturnType<typeof share>): Promise<string[]> =>
    (await Array.fromAsync(of.list(sealed))).map(({ key }) => key).filter((key) => key.endsWith('.json'));
  let head = 9;
  return {
    ...{ ministack, vault, share, act },
    /** A bucket with the policy that the product prints, or none; registered, and wanted to be filled. Nobody has looked at it. */
    join: async (member: string, { policy = true } = {}): Promise<void> => {
      const Bucket = `${member}-files`;
      const access = { network: NETWORK, member, operatorAccount: ACCOUNT, bucket: Bucket };
      await s3.send(new CreateBucketCommand({ Bucket }));
      const Policy = JSON.stringify(memberPolicy(access));
      if (policy) await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
      const destination = { kind: 'bucket', bucket: Bucket, region: REGION, account: ACCOUNT } as const;
      await act(member, { what: 'register', destination });
      await act(member, { what: 'set', environmentBackupTarget: true });
    },
    /** Of the schedule that starts deliveries, and of no other. */
    setHourly: async (State: 'ENABLED' | 'DISABLED', ScheduleExpression = 'rate(1 hour)'): Promise<void> => {
      const aws = aboutAws(ministack);
      const hourly = (await schedulesOf(aws)).find(({ Target }) => Target.Arn === arn(deliveryMachineName(NETWORK)));
      if (hourly === undefined) throw new Error('nothing starts deliveries');
      await changeSchedule(aws, hourly, { State, ScheduleExpression });
    },
    /** Takes one grant from the role of a step; resolves to what gives it back. */
    withhold: (role: string, action: string) => withholdGrant(iam, role, action),
    member: async (id: string) => (await readMember(vault, id))?.value,
    /** One execution of the state machine that the hourly schedule starts, and of those of the members that it starts. */
    deliver: async (): Promise<Ended> => {
      const ended = await execute(sfn, arn(deliveryMachineName(NETWORK)), {});
      await soon(
        async () => ((await running(sfn, arn(memberMachineName(NETWORK)))) ? undefined : true),
        60_000,
        'an end',
      );
      return ended;
    },
    /** The newest delivery to one member. */
    deliveryTo: async (member: string): Promise<Ended | undefined> => {
      const [executionArn] = await executionsOf(
        sfn,
        arn(memberMachineName(NETWORK)),
        (each) => memberAtWork(each) === member,
      );
      if (executionArn === undefined) return undefined;
      const { status = '', error, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      return { status, error, cause };
    },
    /** Names of the executions that began a delivery to whoever lacks something. */
    starts: async (): Promise<string[]> =>
      (await executionsOf(sfn, arn(deliveryMachineName(NETWORK)))).map((each) => each.replace(/^.*:/, '')),
    /** The chain has some blocks more, and a run of the deployed workflow seals them. */
    seal: async (slot: string): Promise<Ended> => {
      head += 4;
      node.setHead(head);
      const run = { network: NETWORK, node: NODE, protocol: 'ethereum', slot, reason: 'manual' };
      return execute(sfn, arn(chainMachineName(NETWORK, NODE)), { run });
    },
    /** Manifests that a member lacks. */
    lacking: async (member: string): Promise<string[]> => {
      const held = await manifests(share(member));
      return (await manifests(vault)).filter((key) => !held.includes(key));
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of [s3, sfn, iam]) client.destroy();
      await ministack.stop();
      await node[Symbol.asyncDispose]();
    },
  };
}

export type DeployedMembers = Awaited<ReturnType<typeof deployMembers>>;

/** Newest first. */
async function executionsOf(sfn: SFNClient, stateMachineArn: string, which = (_: string) => true): Promise<string[]> {
  const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn }));
  return executions
    .toSorted((a, b) => Number(b.startDate) - Number(a.startDate))
    .map(({ executionArn = '' }) => executionArn)
    .filter(which);
}

async function running(sfn: SFNClient, stateMachineArn: string): Promise<boolean> {
  const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' }));
  return executions.length > 0;
}
