import type { Command, DeploymentSteps } from './restore-plan.ts';

/** How a node is run, as the config says it. */
export type Deployment =
  | {
      readonly compose: {
        readonly dir: string;
        readonly postgresService: string;
        readonly start: string;
        readonly stop: string;
      };
    }
  | {
      readonly kubernetes: {
        readonly namespace: string;
        readonly deployments: readonly string[];
        readonly context?: string | undefined;
      };
    };

/** The commands around a restore. Without a known deployment they are sentences that a person has to translate. */
export function deploymentSteps(deployment: Deployment | undefined): DeploymentSteps {
  if (deployment === undefined) return unknownDeployment;
  return 'compose' in deployment ? composeSteps(deployment.compose) : kubernetesSteps(deployment.kubernetes);
}

function composeSteps(node: Extract<Deployment, { compose: unknown }>['compose']): DeploymentSteps {
  const service = quote(node.postgresService);
  const here = (run: string, why: string): Command => ({ run: `cd ${quote(node.dir)} && ${run}`, why });
  return {
    kind: 'compose',
    stop: [
      here(node.stop, 'stop the whole node, so that nothing writes any more'),
      here('docker volume ls', "keep PostgreSQL's volume: the old databases stay in it, under other names"),
      here(`docker compose up -d ${service}`, 'start PostgreSQL alone'),
      here(`until docker compose exec -T ${service} pg_isready -q; do sleep 1; done`, 'wait until it answers'),
    ],
    start: [
      here('docker compose down', 'stop PostgreSQL; its volume stays'),
      here(node.start, 'start the node with the arguments it always has'),
    ],
  };
}

function kubernetesSteps(node: Extract<Deployment, { kubernetes: unknown }>['kubernetes']): DeploymentSteps {
  const context = node.context === undefined ? '' : ` --context ${quote(node.context)}`;
  const kubectl = `kubectl${context} -n ${quote(node.namespace)}`;
  const all = node.deployments.map((name) => quote(`deployment/${name}`)).join(' ');
  // A pod is called after its deployment, its replica set and itself. A failing kubectl must not read as "gone".
  const pods = quote(`^pod/(${node.deployments.join('|')})-[a-z0-9]+-[a-z0-9]+$`);
  const gone = `pods=$(${kubectl} get pods -o name) && ! printf '%s\\n' "$pods" | grep -qE ${pods}`;
  return {
    kind: 'kubernetes',
    stop: [
      { run: `${kubectl} scale --replicas=0 ${all}`, why: 'stop the node, so that nothing writes any more' },
      { run: `until ${gone}; do sleep 1; done`, why: 'wait until its pods are gone' },
    ],
    start: [{ run: `${kubectl} scale --replicas=1 ${all}`, why: 'start the node' }],
  };
}

const unknownDeployment: DeploymentSteps = {
  kind: 'other',
  stop: [
    { run: '# stop the node', why: 'nothing may write to its databases any more; PostgreSQL stays up' },
    { run: '# see that it has stopped', why: 'a second copy of a node that still runs is not refused by the network' },
  ],
  start: [{ run: '# start the node', why: 'with the configuration it always has' }],
};

/** A word for a POSIX shell. */
export const quote = (word: string): string =>
  /^[A-Za-z0-9_/.:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
