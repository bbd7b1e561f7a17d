import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { NetworkName } from '../core/names.ts';
import { chainReach } from '../lib/chain-reach.ts';
import { Delivery } from '../lib/delivery.ts';
import { LedgerBackup } from '../lib/ledger-backup.ts';
import { Retention } from '../lib/retention.ts';
import { SecondVault } from '../lib/second-vault.ts';
import { UNBUNDLED } from '../lib/step-lambda.ts';
import { ChainSteps } from '../lib/steps/chain-steps.ts';
import { ChainWorkflow } from '../lib/workflows/chain-workflow.ts';
import { definitionOf } from '../lib/workflows/definition.ts';

/** Every workflow by name. They depend on no config, so any network will do to build them. */
export function workflows() {
  const stack = new Stack(new App({ context: { [UNBUNDLED]: true } }), 'Workflows');
  const backup = new LedgerBackup(stack, 'LedgerBackup', { network: NetworkName.parse('any'), captures: {} });
  const { workflow, steps, storage } = backup;
  const retention = new Retention(stack, 'Retention', storage, { keep: {}, timeZone: 'UTC' });
  const place = { bucket: 'any', prefix: '', account: '222222222222', region: 'eu-west-1' };
  const second = new SecondVault(stack, 'SecondVault', { storage, place });
  const node = { name: 'any', url: 'https://any.example.com' };
  const chain = { client: 'geth', agreement: 'all', compression: 'none' } as const;
  const reach = chainReach(
    'any',
    { ...chain, confirmations: 0, blocksPerFile: 1, monitor: node, validators: [node] },
    undefined,
  );
  const deliveries = new Delivery(stack, 'Delivery', { storage, watch: backup.watch, accounts: {} });
  const tick = { enabled: false, timesADay: 4, timeZone: 'UTC' } as const;
  const ofChain = new ChainSteps(stack, 'ChainSteps', storage, reach, { tick });
  const exported = new ChainWorkflow(stack, 'Chain', ofChain);
  return {
    chain: definitionOf(exported.stateMachine, ofChain.all),
    backup: definitionOf(workflow.stateMachine, steps.all),
    delivery: definitionOf(deliveries.workflow.stateMachine, deliveries.all),
    'member-delivery': definitionOf(deliveries.ofMember.stateMachine, deliveries.all),
    retention: definitionOf(retention.workflow.stateMachine, retention.steps.all),
    'second-vault': definitionOf(second.workflow.stateMachine, second.all),
  };
}

/** Writes `<name>.asl.json` for each into `folder`; the CLI runs these, and needs no CDK for it. */
export function emitWorkflows(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, definition] of Object.entries(workflows())) {
    writeFileSync(join(folder, `${name}.asl.json`), `${JSON.stringify(definition, undefined, 2)}\n`);
  }
}

if (import.meta.main) emitWorkflows(join(import.meta.dirname, '../dist/workflows'));
