/**
 * Runs the backup's definition with the bundles of its Lambdas, as they would be deployed: `node run-bundles.ts FOLDER`,
 * with the Lambdas' environment and `RUN`, the run as JSON. Prints the error that ends it.
 */
import { join } from 'node:path';
import { camel } from '../../core/step.ts';
import { claimSlot } from '../../lambdas/claim-slot/contract.ts';
import { failRun } from '../../lambdas/fail-run/contract.ts';
import { finishCapture } from '../../lambdas/finish-capture/contract.ts';
import { planWaves } from '../../lambdas/plan-waves/contract.ts';
import { pollCapture } from '../../lambdas/poll-capture/contract.ts';
import { preflight } from '../../lambdas/preflight/contract.ts';
import { promoteIdentities } from '../../lambdas/promote-identities/contract.ts';
import { sealManifest } from '../../lambdas/seal-manifest/contract.ts';
import { startCapture } from '../../lambdas/start-capture/contract.ts';
import { runtime } from '../../local/runtime.ts';
import { emitted } from './workflows.ts';

const [folder = ''] = process.argv.slice(2);
const capture = [startCapture, pollCapture, finishCapture];
const contracts = [claimSlot, preflight, planWaves, ...capture, sealManifest, promoteIdentities, failRun];
const steps = Object.fromEntries(
  await Promise.all(
    contracts.map(async (contract) => {
      const { handler } = await import(join(folder, contract.name, 'index.mjs'));
      return [camel(contract.name), { contract, run: handler }];
    }),
  ),
);
const run = JSON.parse(process.env['RUN'] ?? '');
await runtime({ definition: emitted('backup'), steps })
  .run({ run }, { executionId: 'execution-1' })
  .then(
    (state) => process.stdout.write(JSON.stringify(state)),
    ({ name, message }: Error) => process.stdout.write(JSON.stringify({ name, message })),
  );
