import { DefaultStackSynthesizer, Stack, Validations } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import {
  CfnCluster,
  ContainerImage,
  CpuArchitecture,
  FargateTaskDefinition,
  LogDriver,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { FargateNode } from '../config/capture-sources.ts';
import type { CaptureSources, DumpPlaces } from '../core/capture-sources.ts';
import { DUMP_CONTAINER } from '../core/dump-task.ts';
import { acknowledgeWildcards } from './acknowledge-wildcards.ts';
import { bundleDumpTask } from './bundle-step.ts';
import { allow, explain } from './grants.ts';
import { UNBUNDLED } from './step-lambda.ts';
import type { Storage } from './storage.ts';

export interface DumpTasksProps {
  readonly storage: Storage;
  readonly captures: CaptureSources;
  /** By node. */
  readonly fargate: Readonly<Record<string, FargateNode>>;
}

/** Heartbeats and results of tasks, in the vault: what the steps that wait for them read. */
export const TASK_RECORDS = 'sets/*/tasks/*';

interface NodeTask {
  readonly definition: FargateTaskDefinition;
  readonly roles: readonly Role[];
  readonly node: FargateNode;
}

/** The tasks that dump databases: one cluster, and for each node a task definition with roles of its own. */
export class DumpTasks extends Construct {
  readonly cluster: CfnCluster;
  /** By node, as the step that starts captures needs it. */
  readonly places: DumpPlaces;
  readonly #tasks: ReadonlyMap<string, NodeTask>;

  constructor(scope: Construct, id: string, props: DumpTasksProps) {
    super(scope, id);
    this.cluster = new CfnCluster(this, 'Cluster', {
      clusterSettings: [{ name: 'containerInsights', value: 'enabled' }],
    });
    const image = this.#image();
    const nodes = Object.entries(props.fargate);
    this.#tasks = new Map(nodes.map(([name, node]) => [name, this.#task(name, node, image, props)]));
    this.places = Object.fromEntries([...this.#tasks].map(([name, task]) => [name, placeOf(task, this.cluster)]));
  }

  /** To start the tasks of these definitions, in this cluster, with these roles, and nothing else. */
  grantStart(role: Role): void {
    const tasks = [...this.#tasks.values()];
    allow(role, {
      because: 'It starts the tasks that dump databases, in the cluster that is made for them.',
      actions: ['ecs:RunTask'],
      resources: tasks.map(({ definition }) => definition.taskDefinitionArn),
      conditions: { ArnEquals: { 'ecs:cluster': this.cluster.attrArn } },
    });
    allow(role, {
      because: 'A task runs with the two roles of its definition, which are handed to ECS and to nobody else.',
      actions: ['iam:PassRole'],
      resources: tasks.flatMap(({ roles }) => roles.map(({ roleArn }) => roleArn)),
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    });
  }

  /** To see how the tasks of this cluster are. */
  grantLook(role: Role): void {
    const stack = Stack.of(this);
    allow(role, {
      because: 'It asks how a dump task is; ECS gives each an id when it starts.',
      actions: ['ecs:DescribeTasks'],
      resources: [stack.formatArn({ service: 'ecs', resource: 'task', resourceName: `${this.cluster.ref}/*` })],
      conditions: { ArnEquals: { 'ecs:cluster': this.cluster.attrArn } },
    });
  }

  /** Built by docker when the stack is deployed; making the stack needs none. */
  #image(): ContainerImage {
    if (this.node.tryGetContext(UNBUNDLED) === true) return withoutImage(this);
    return ContainerImage.fromAsset(bundleDumpTask(), { platform: Platform.LINUX_AMD64 });
  }

  #task(name: string, node: FargateNode, image: ContainerImage, { storage, captures }: DumpTasksProps): NodeTask {
    const scope = new Construct(this, name);
    const assumedBy = new ServicePrincipal('ecs-tasks.amazonaws.com');
    const taskRole = new Role(scope, 'TaskRole', { assumedBy });
    const executionRole = new Role(scope, 'ExecutionRole', { assumedBy });
    grantDump(taskRole, storage, name, captures[name] ?? {});
    const definition = new FargateTaskDefinition(scope, 'Task', {
      ...{ cpu: node.cpu, memoryLimitMiB: node.memory, taskRole, executionRole },
      runtimePlatform: { cpuArchitecture: CpuArchitecture.X86_64, operatingSystemFamily: OperatingSystemFamily.LINUX },
    });
    definition.addContainer(DUMP_CONTAINER, {
      image,
      environment: { ...storage.lockingEnvironment, ENVELOPE_KEY: storage.envelopeKey.keyArn },
      logging: LogDriver.awsLogs({
        streamPrefix: DUMP_CONTAINER,
        logGroup: new LogGroup(scope, 'Logs', { retention: RetentionDays.THREE_MONTHS }),
      }),
    });
    explainExecution(executionRole);
    const reason = 'They name the vault and the key, and hold no secret: secrets are read by ARN when they are needed.';
    Validations.of(definition).acknowledge({ id: 'AwsSolutions-ECS2', reason });
    return { definition, roles: [taskRole, executionRole], node };
  }
}

/** An image that is not there, in the repository where the real one would be: the rights to fetch it are the same. */
function withoutImage(scope: Construct): ContainerImage {
  const { account, region } = Stack.of(scope);
  const name = `cdk-${DefaultStackSynthesizer.DEFAULT_QUALIFIER}-container-assets-${account}-${region}`;
  return ContainerImage.fromEcrRepository(Repository.fromRepositoryName(scope, 'Image', name), 'made-without-it');
}

/** Why the role that ECS itself uses may what CDK lets it: fetch the image, and write the log. */
function explainExecution(role: Role): void {
  acknowledgeWildcards(role, ['*'], 'ECR knows no narrower resource for signing in.');
  explain(
    role,
    { because: 'It fetches the image of the task.', actions: PULL },
    { because: 'It signs in to ECR, which knows no narrower resource.', actions: ['ecr:GetAuthorizationToken'] },
    { because: 'It writes the task’s log.', actions: ['logs:CreateLogStream', 'logs:PutLogEvents'] },
  );
}

const PULL = ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'];

const placeOf = ({ definition, node }: NodeTask, cluster: CfnCluster): DumpPlaces[string] => ({
  cluster: cluster.attrArn,
  taskDefinition: definition.taskDefinitionArn,
  subnets: [...node.vpc.subnets],
  securityGroups: [...node.vpc.securityGroups],
});

/** One node's part of the vault and no other's; it may seal, and not open. */
function grantDump(role: Role, storage: Storage, node: string, sources: CaptureSources[string]): void {
  const dumps = Object.entries(sources).flatMap(([name, source]) =>
    'dump' in source ? [{ name, ...source.dump }] : [],
  );
  storage.grant(role, {
    // Its own sealed dump, to find out after a lost answer whether the write took effect.
    read: [`leases/${node}/*`, ...dumps.map(({ name }) => `sets/${node}/runs/*/${name}.dump*`)],
    writeOnce: [
      `leases/${node}/*`,
      ...dumps.flatMap(({ name }) => [`sets/${node}/runs/*/${name}.dump*`, `sets/${node}/runs/*/tasks/${name}/*`]),
    ],
  });
  allow(role, {
    because: 'It seals the dump. It may not open it: who backs up cannot read it back.',
    actions: ['kms:GenerateDataKey'],
    resources: [storage.envelopeKey.keyArn],
  });
  allow(role, {
    because: 'It reads the addresses of the databases that the configuration names, with their passwords.',
    actions: ['secretsmanager:GetSecretValue'],
    resources: dumps.flatMap(({ database: { urlSecretArn } }) => (urlSecretArn === undefined ? [] : [urlSecretArn])),
  });
}
