import { type DBCluster, type DBInstance, RDSClient, type RDSClientConfig } from '@aws-sdk/client-rds';
import { copyCalls } from './rds-copies.ts';
import { clusterNames, databaseCalls, instanceNames } from './rds-databases.ts';
import { snapshotCalls } from './rds-snapshots.ts';
import { type Answer, AnswerLost, type Params, Refusal, requestHandler, served } from './rds-wire.ts';
import { always, availableAfter, type Course, type Handlers, type World } from './rds-world.ts';

/** One call as it came, and how it ended. */
export interface Called {
  readonly action: string;
  readonly params: Params;
  readonly at: Date;
  /** The code of its refusal. */
  refused?: string;
}

/** What happens to a call instead, or besides: a refusal, or an answer that is lost on the way. */
export type Fault = { readonly code: string; readonly status?: number } | 'answer lost';

export interface FakeRdsProps {
  readonly now: () => Date;
  readonly account?: string;
  readonly region?: string;
  /** More calls than those of `rds.md`, or others in their place. */
  readonly calls?: Handlers;
}

const CALLS: Handlers = { ...snapshotCalls, ...copyCalls, ...databaseCalls };

/** Behaves as `rds.md` says. */
export function fakeRds({ now, account = '111111111111', region = 'eu-central-1', calls = {} }: FakeRdsProps) {
  const world: World = {
    ...{ now, account, region },
    ...{ instances: new Map(), clusters: new Map(), snapshots: new Map(), clusterSnapshots: new Map() },
    ...{ quota: 100, disabledKeys: new Set(), course: () => availableAfter(120) },
    ...{ closedKeys: new Set(), defaultKeys: new Set(), shared: new Map(), elsewhere: [] },
  };
  const handlers: Handlers = { ...CALLS, ...calls };
  const log: Called[] = [];
  const state: { fault: (call: Called) => Fault | undefined } = { fault: () => undefined };

  const call = async (action: string, params: Params): Promise<Answer> => {
    const called: Called = { action, params, at: now() };
    log.push(called);
    try {
      const fault = state.fault(called);
      if (fault !== undefined && fault !== 'answer lost') throw refusalOf(fault);
      const handler = handlers[action];
      if (handler === undefined) throw new Refusal('InvalidAction', `the fake has no call ${action}`);
      const answer = handler(params, world);
      if (fault === 'answer lost') throw new AnswerLost(action);
      return answer;
    } catch (error) {
      called.refused = error instanceof Refusal ? error.code : 'answer lost';
      throw error;
    }
  };

  const client = (more: RDSClientConfig): RDSClient =>
    new RDSClient({ region, credentials: { accessKeyId: 'key', secretAccessKey: 'secret' }, ...more });
  return {
    ...{ world, log, call },
    /** What to do to each call; none by default. */
    onCall: (fault: (call: Called) => Fault | undefined) => void (state.fault = fault),
    /** The SDK's client, with no network between. */
    client: (more: RDSClientConfig = {}) => client({ requestHandler: requestHandler(call) as never, ...more }),
    /** The same over HTTP. */
    serve: async (more: RDSClientConfig = {}) => {
      const server = await served(call);
      return Object.assign(server, { client: client({ endpoint: server.origin, ...more }) });
    },
    addInstance: (id: string, fields: DBInstance = {}, course: Course = always('available')) => {
      const shape = { ...DEFAULTS, ...INSTANCE, ...instanceNames(world, id), ...fields };
      world.instances.set(id, { shape, madeAt: now().getTime(), course });
    },
    addCluster: (id: string, fields: DBCluster = {}, course: Course = always('available')) => {
      const shape = { ...DEFAULTS, ...CLUSTER, ...clusterNames(world, id), ...fields };
      world.clusters.set(id, { shape, madeAt: now().getTime(), course });
    },
  };
}

export type FakeRds = ReturnType<typeof fakeRds>;

const DEFAULTS = { Engine: 'postgres', EngineVersion: '15.8', AllocatedStorage: 100, MultiAZ: true };
const INSTANCE: DBInstance = {
  DBInstanceClass: 'db.m7g.large',
  DBSubnetGroup: { DBSubnetGroupName: 'private' },
  DBParameterGroups: [{ DBParameterGroupName: 'ledger', ParameterApplyStatus: 'in-sync' }],
  OptionGroupMemberships: [{ OptionGroupName: 'default:postgres-15', Status: 'in-sync' }],
  VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-1', Status: 'active' }],
  StorageEncrypted: true,
  KmsKeyId: 'arn:aws:kms:eu-central-1:111111111111:key/11111111-1111-1111-1111-111111111111',
};
const CLUSTER: DBCluster = {
  Engine: 'aurora-postgresql',
  DBSubnetGroup: 'private',
  DBClusterParameterGroup: 'ledger-cluster',
  VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-1', Status: 'active' }],
  StorageEncrypted: true,
  KmsKeyId: 'arn:aws:kms:eu-central-1:111111111111:key/11111111-1111-1111-1111-111111111111',
};

const refusalOf = ({ code, status }: Exclude<Fault, string>): Refusal =>
  new Refusal(code, `refused by the test: ${code}`, status ?? (code === 'ServiceUnavailable' ? 503 : 400));
