import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { BIN } from './emulator.ts';
import type { Ministack } from './ministack.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What a cloud team runs: the CLI as it is published, on this app as it is. */
export interface DeployedApp {
  /** Rejects with all that it said if it fails. */
  cdk(...args: readonly string[]): Promise<string>;
  /** Of the stack, by the ends of their names, such as `Vault`. */
  output(name: string): Promise<string>;
}

/** The app for a config, written to the emulator's folder. */
export async function deployedApp(
  { home, env }: Ministack,
  yaml: string,
  context: Readonly<Record<string, string>> = {},
): Promise<DeployedApp> {
  const [config, outputs] = [join(home, 'ledgerhold.yaml'), join(home, 'outputs.json')];
  await writeFile(config, yaml);
  const given = Object.entries({ config, ...context }).flatMap(([key, value]) => ['--context', `${key}=${value}`]);
  const always = ['--no-notices', '--no-color', '--output', join(home, 'cdk.out'), ...given];
  const cdk = (verb: string, ...args: readonly string[]) =>
    said([verb, ...args, ...always, ...(verb === 'deploy' ? ['--outputs-file', outputs] : [])], {
      ...env,
      PATH: [BIN, process.env['PATH']].join(delimiter),
      // The CLI remembers accounts by access key there.
      HOME: home,
      CDK_DISABLE_CLI_TELEMETRY: '1',
      // Reading credentials from the machine's own address would wait for it.
      AWS_EC2_METADATA_DISABLED: 'true',
    });
  return {
    cdk: (...args) => cdk(...(args as [string])),
    output: async (name) => {
      const stacks: Record<string, Record<string, string>> = JSON.parse(await readFile(outputs, 'utf8'));
      const all = Object.values(stacks).flatMap((each) => Object.entries(each));
      const found = all.find(([key]) => key.replace(/[0-9A-F]{8}$/, '').endsWith(name));
      if (found === undefined) throw new Error(`no output ends in ${name}: ${all.map(([key]) => key).join(', ')}`);
      return found[1];
    },
  };
}

async function said(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(join(BIN, 'cdk'), args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const text = Buffer.concat(chunks).toString();
  if (status !== 0) throw new Error(`cdk ${args.join(' ')} ended with ${status}: ${text}`);
  return text;
}

/** How an execution ended. */
export interface Ended {
  readonly status: string;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

/** One execution by the deployed ARN, from its start to its end, at most two minutes. */
export async function execute(sfn: SFNClient, stateMachineArn: string, input: unknown): Promise<Ended> {
  const [name, text] = [randomUUID(), JSON.stringify(input)];
  const started = await sfn.send(new StartExecutionCommand({ stateMachineArn, name, input: text }));
  for (let tries = 0; tries < 600; tries += 1) {
    const { status, error, cause } = await sfn.send(
      new DescribeExecutionCommand({ executionArn: started.executionArn }),
    );
    if (status !== 'RUNNING') return { status: status ?? '', error, cause };
    await sleep(200);
  }
  throw new Error(`${started.executionArn} has not ended after two minutes`);
}
