import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { CaptureSources } from '../../core/capture-sources.ts';
import { ComponentName, NetworkName, NodeName } from '../../core/names.ts';
import { LedgerBackup } from '../../lib/ledger-backup.ts';
import { UNBUNDLED } from '../../lib/step-lambda.ts';
import type { AlarmProperties } from './alarm-state.ts';

export const CREDENTIALS = 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:credentials-AbCdEf';

/** The stack of a network with these components at each of its nodes; the first one's source signs in with a secret. */
export function watchedStack(
  network: string,
  nodes: Readonly<Record<string, readonly string[]>>,
  context: Record<string, unknown> = {},
) {
  const stack = new Stack(new App({ context: { [UNBUNDLED]: true, ...context } }), 'Test');
  const auth = { tokenUrl: 'https://auth.example.com/token', clientId: 'backup', clientSecretArn: CREDENTIALS };
  const identities = { identities: { url: 'https://validator.example.com/api', auth } };
  const captures: CaptureSources = Object.fromEntries(
    Object.entries(nodes).map(([node, [first = '']]) => [node, { [first]: identities }]),
  );
  const backup = new LedgerBackup(stack, 'LedgerBackup', {
    ...{ network: NetworkName.parse(network), captures, snapshots: true },
    secondVault: { bucket: 'second', prefix: '', account: '222222222222', region: 'eu-west-1' },
    listeners: { emails: ['ops@example.com'], pager: 'https://pager.example.com/hook' },
    nodes: Object.entries(nodes).map(([node, components]) => ({
      ...{ everySeconds: 14_400, enabled: true },
      run: {
        ...{ network: NetworkName.parse(network), node: NodeName.parse(node), protocol: 'splice' },
        components: components.map((each) => ({ component: ComponentName.parse(each), role: each })),
        ...{ pollSeconds: 30, maxSpreadSeconds: 3600 },
      },
    })),
  });
  const template = Template.fromStack(stack);
  const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
    ({ Properties }) => Properties as AlarmProperties,
  );
  const idOf = (arn: string) => JSON.stringify(stack.resolve(arn));
  return { stack, template, alarms, backup, idOf };
}
