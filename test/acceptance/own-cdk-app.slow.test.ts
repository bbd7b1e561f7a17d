import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');

const APP = `
import { App, Stack } from 'aws-cdk-lib';
import { backupsOf, ChainBackup, chainsOf, Delivery, deliveryOf, LedgerBackup, MemberApi, memberApiOf } from 'ledgerhold/cdk';

const app = new App({ outdir: 'out' });
const stack = new Stack(app, 'Mine');
const [first] = backupsOf('ledgerhold.yaml');
const { storage, watch } = new LedgerBackup(stack, \`Backup\${first.group}\`, first);
for (const props of chainsOf('ledgerhold.yaml')) new ChainBackup(stack, props.chain.node, { ...props, storage, watch });
const delivery = deliveryOf('ledgerhold.yaml');
if (delivery !== undefined) new Delivery(stack, 'Delivery', { ...delivery, storage, watch });
const api = memberApiOf('ledgerhold.yaml');
if (api !== undefined) new MemberApi(stack, 'MemberApi', { ...api, storage });
app.synth();
`;
const CONFIG = `
network: acme
aws: { account: '111111111111', region: eu-central-1 }
vault: { folder: ./vault }
secondVault: { s3: { bucket: acme-second, region: eu-west-1, account: '222222222222' } }
encryption: none
members: [ { id: bank-a, account: '333333333333', bucket: bank-a-files, region: eu-west-1 } ]
signing: { keyFile: ./key.pem }
nodes:
  - name: participant-1
    protocol: canton
    components: { participant: { rds: participant-1 } }
  - name: consortium
    protocol: ethereum
    client: geth
    enabled: true
    monitor: { rpc: https://rpc.example.com }
    validators: [ { name: bank-a, rpc: https://rpc.bank-a.example.com } ]
`;

/** As \`npm install ledgerhold\` would lay it out: the packed files, and what they depend on. */
function install(folder: string): void {
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
  });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'ledgerhold'), { recursive: true });
  const into = ['-C', join(modules, 'ledgerhold'), '--strip-components', '1'];
  execFileSync('tar', ['-xzf', join(folder, packed.trim()), ...into]);
  const installed = readdirSync(join(root, 'node_modules')).filter((name) => !['.bin', 'esbuild'].includes(name));
  for (const name of installed) symlinkSync(join(root, 'node_modules', name), join(modules, name));
}

describe('a CDK app of one’s own, with the package as it is published', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ledgerhold-own-app-'));
    install(folder);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'ledgerhold.yaml'), CONFIG);
    writeFileSync(join(folder, 'app.ts'), APP);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('synthesizes the backup with its schedules, and every Lambda with the code that the package brings', () => {
    execFileSync(process.execPath, ['app.ts'], { cwd: folder });
    const template = JSON.parse(readFileSync(join(folder, 'out/Mine.template.json'), 'utf8')) as {
      Resources: Record<string, { Type: string; Properties: { ScheduleExpression?: string } }>;
    };
    const ofType = (type: string) => Object.values(template.Resources).filter(({ Type }) => Type === type);
    expect(ofType('AWS::Scheduler::Schedule').map(({ Properties }) => Properties.ScheduleExpression)).toContain(
      'cron(0 0,4,8,12,16,20 * * ? *)',
    );
    const assets = readdirSync(join(folder, 'out')).filter((name) => name.startsWith('asset.'));
    const ours = assets.filter((name) => readdirSync(join(folder, 'out', name)).includes('index.mjs'));
    expect(ours.length).toBe(readdirSync(join(root, 'dist/lambdas')).length);
    // The one member lies beside the code of the two that go by the list.
    expect(ours.filter((name) => readdirSync(join(folder, 'out', name)).includes('list.json'))).toHaveLength(2);
    for (const name of ours) expect(statSync(join(folder, 'out', name, 'index.mjs')).size).toBeGreaterThan(1000);
  }, 120_000);

  test('has types: a misspelt property does not compile', () => {
    const compile = (text: string) => {
      writeFileSync(join(folder, 'typed.ts'), text);
      const options = ['--module', 'nodenext', '--target', 'es2023', '--noEmit', '--strict', '--skipLibCheck'];
      execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, 'typed.ts'], {
        cwd: folder,
        stdio: 'pipe',
      });
    };
    expect(() => compile(APP)).not.toThrow();
    expect(() => compile(APP.replace('first.group', 'first.grupp'))).toThrow();
  }, 120_000);
});
