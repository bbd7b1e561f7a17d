import { join } from 'node:path';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateFunctionCommand, LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { CreateStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { AllowedMachine } from '../../core/allowed-asl.ts';
import { startEmulator } from './emulator.ts';
import { bodyOf, serve } from './loopback.ts';

const SHIM = join(import.meta.dirname, 'moto-shim.py');
const ROLE = 'arn:aws:iam::123456789012:role/any';

/** What each function does, by its name; an error passes under its own name, as Lambda tells it. */
export type Functions = Readonly<Record<string, (input: unknown) => unknown>>;

export interface Moto extends AsyncDisposable {
  readonly sfn: SFNClient;
  /** For a client of any other service. */
  readonly connection: LambdaClientConfig & { readonly endpoint: string; readonly region: string };
  /** Creates a state machine of a definition in which the names of functions stand for their ARNs; resolves to its ARN. */
  create(name: string, definition: AllowedMachine): Promise<string>;
  /** What the functions do from now on. */
  become(functions: Functions): void;
}

export async function startMoto(python: string, names: readonly string[]): Promise<Moto> {
  let functions: Functions = {};
  const lambdas = await serve(async (request, response) => {
    const name = request.url?.slice(1) ?? '';
    const input: unknown = JSON.parse(await bodyOf(request));
    try {
      response.end(JSON.stringify((await functions[name]?.(input)) ?? null));
    } catch (error) {
      const { name: errorType, message: errorMessage } = error as Error;
      response.setHeader('failed', 'true').end(JSON.stringify({ errorType, errorMessage }));
    }
  });
  const emulator = await startEmulator({
    python,
    args: (port) => [SHIM, '-H', '127.0.0.1', '-p', String(port)],
    env: () => ({ LAMBDAS: lambdas.origin }),
    ready: async (port) => (await fetch(`http://127.0.0.1:${port}/moto-api/`)).ok,
  });
  const connection = {
    ...{ endpoint: `http://127.0.0.1:${emulator.port}`, region: 'us-east-1' },
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  };
  const sfn = new SFNClient(connection);
  const end = async () => {
    sfn.destroy();
    await emulator.stop();
    await lambdas[Symbol.asyncDispose]();
  };
  const arns = await createFunctions(connection, names).catch(async (error: unknown) => {
    await end();
    throw error;
  });
  return {
    ...{ sfn, connection },
    create: async (name, machine) => {
      const definition = JSON.stringify(machine).replaceAll(/\$\{(\w+)\}/g, (_, step) => arns.get(step) ?? '');
      const made = await sfn.send(new CreateStateMachineCommand({ name, definition, roleArn: ROLE }));
      return made.stateMachineArn ?? '';
    },
    become: (given) => {
      functions = given;
    },
    [Symbol.asyncDispose]: end,
  };
}

/** ARNs by name. Moto wants a role for each that exists. */
async function createFunctions(connection: LambdaClientConfig, names: readonly string[]): Promise<Map<string, string>> {
  const [lambda, iam] = [new LambdaClient(connection), new IAMClient(connection)];
  await iam.send(new CreateRoleCommand({ RoleName: 'any', AssumeRolePolicyDocument: '{}' }));
  const arns = new Map<string, string>();
  for (const FunctionName of names) {
    const code = { Runtime: 'nodejs20.x', Handler: 'index.handler', Code: { ZipFile: NO_CODE } } as const;
    const { FunctionArn = '' } = await lambda.send(new CreateFunctionCommand({ FunctionName, Role: ROLE, ...code }));
    arns.set(FunctionName, FunctionArn);
  }
  for (const client of [lambda, iam]) client.destroy();
  return arns;
}

/** An archive with nothing in it: the end record alone. */
const NO_CODE = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]);
