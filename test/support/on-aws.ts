import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backupMachineName } from '../../core/deployed-names.ts';
import { stateMachineArn } from '../../core/executions.ts';
import { folderVault } from '../../local/folder-vault.ts';
import { type FakeExecution, fakeStepFunctions } from '../fakes/step-functions.ts';
import { newKeys, type ToyWorld, toyRun, toySteps } from './toy-sets.ts';

export const DEPLOYMENT = { account: '111111111111', region: 'eu-central-1' };
export const MACHINE = stateMachineArn(DEPLOYMENT, backupMachineName('toy-net'));

const CONFIG = `network: toy-net
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./signing-key.pem }
aws: { account: '111111111111', region: eu-central-1 }
nodes:
  - name: toy-1
    protocol: canton
    components:
      app: { rds: app-db, role: participant }
`;

/** A folder with a config that is deployed, its vault, and a Step Functions that a test plays. */
export async function worldOnAws() {
  const fake = await fakeStepFunctions(MACHINE);
  const cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-on-aws-'));
  const world: ToyWorld = { vault: folderVault(join(cwd, 'vault')), keys: newKeys(), now: () => new Date() };
  await writeFile(join(cwd, 'ledgerhold.yaml'), CONFIG);
  await writeFile(join(cwd, 'signing-key.pem'), world.keys.privateKey, { mode: 0o600 });
  const before = { ...process.env };
  Object.assign(process.env, {
    ...{ AWS_ENDPOINT_URL_SFN: fake.endpoint, AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' },
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  return {
    ...{ fake, cwd, world },
    [Symbol.asyncDispose]: async () => {
      process.env = before;
      await fake[Symbol.asyncDispose]();
      await rm(cwd, { recursive: true, force: true });
    },
  };
}

/** What the deployed steps would do for an execution, by the toy's. */
export function stepsFor(world: ToyWorld, { input }: FakeExecution) {
  const { slot, reason, node } = JSON.parse(input).run;
  return toySteps(world, toyRun(slot, { reason, node }));
}
