import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { PolicyDocument } from '../../core/bucket-policy.ts';
import { type CliResult, runCli } from '../support/cli.ts';
import { BUCKET, KEY, MEMBER, type MemberCall, memberIam, OPERATOR, OTHERS, REGION } from '../support/member-iam.ts';
import {
  fromCdk,
  fromCloudFormation,
  fromTerraform,
  type MemberSide,
  terraformModule,
} from '../support/member-templates.ts';

const CONFIG = `
network: acme
aws: { account: '${OPERATOR}', region: ${REGION} }
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./signing-key.pem }
nodes:
  - name: chain-1
    protocol: ethereum
    client: geth
    monitor: { rpc: 'https://rpc.example.com' }
    validators: [{ name: a, rpc: 'https://a.example.com' }]
members:
  - { id: bank-a, account: '${MEMBER}', bucket: bank-a-ledger, region: ${REGION} }
  - { id: bank-f, folder: ./bank-f }
`;

let cwd = '';
let cli: (...args: string[]) => Promise<CliResult>;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-policy-'));
  await writeFile(join(cwd, 'ledgerhold.yaml'), CONFIG);
  cli = (...args) => runCli(['members', 'policy', ...args], { cwd });
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

/** Not in the configuration, so that its bucket gets the name that is recommended. */
const BANK_C = ['--member', 'bank-c'];
const ALL = ['--kms', '--object-lock-days', '30', '--grant-reads'];
/** What is there before has to be named where nothing is made. */
const NAMED = ['--bucket', BUCKET];

const justPolicy = (text: string): MemberSide => ({ bucketPolicy: JSON.parse(text) as PolicyDocument });
const TEMPLATES = [
  ['json', justPolicy, NAMED, ['--kms', KEY, '--grant-reads', ...NAMED]],
  ['cloudformation', fromCloudFormation, [], ALL],
  ['terraform', fromTerraform, [], ALL],
  ['cdk', fromCdk, [], ALL],
] as const;

const role = (account: string, name: string) => `arn:aws:iam::${account}:role/${name}`;
const DELIVERY = role(OPERATOR, 'ledgerhold-acme_Delivery');
const SESSION = `arn:aws:sts::${OPERATOR}:assumed-role/ledgerhold-acme_Delivery/a-run`;
const ADMIN = role(MEMBER, 'admin');
const FILE = 'ledgerhold/acme/bank-c/chain/chain-1/2026-11-24T16:00:00Z-block-0-99.rlp.gz';

/** As the delivery writes. */
const once = { 's3:if-none-match': '*', 's3:ObjectCreationOperation': 'true' };
const part = { 's3:ObjectCreationOperation': 'false' };
const encrypted = (by: string, key?: string) => ({
  's3:x-amz-server-side-encryption': by,
  ...(key && { 's3:x-amz-server-side-encryption-aws-kms-key-id': key }),
});
const customers = { 's3:x-amz-server-side-encryption-customer-algorithm': 'AES256' };

type Case = readonly [why: string, call: MemberCall];
const put = (why: string, rest: Partial<MemberCall> = {}): Case => [
  why,
  { by: DELIVERY, action: 's3:PutObject', key: FILE, context: once, ...rest },
];
const does = (action: string, rest: Partial<MemberCall> = {}): Case => [
  action,
  { by: DELIVERY, action: `s3:${action}`, ...rest },
];
const onFile = (action: string, rest: Partial<MemberCall> = {}) => does(action, { key: FILE, ...rest });

const ALLOWED: readonly Case[] = [
  put('a file'),
  put('a file, by a session of the role', { by: SESSION }),
  put('the format', { key: 'ledgerhold/acme/bank-c/format.json' }),
  put('a manifest', { key: 'ledgerhold/acme/bank-c/chain/chain-1/manifests/00000001.json' }),
  put('a key', { key: 'ledgerhold/acme/bank-c/keys/0123.pem' }),
  put('a record', { key: 'ledgerhold/acme/bank-c/chain/chain-1/records/0-99.json' }),
  put('evidence', { key: 'ledgerhold/acme/bank-c/chain/chain-1/runs/x/1/agreement.json' }),
  put('a part of a large file', { context: part }),
  put('a part of a large file, by a session', { context: part, by: SESSION }),
  onFile('AbortMultipartUpload'),
  onFile('AbortMultipartUpload', { by: SESSION }),
  // The member goes on ruling its own bucket.
  does('ListBucket', { by: ADMIN }),
  does('GetBucketPolicy', { by: ADMIN }),
  does('PutBucketPolicy', { by: ADMIN }),
  does('DeleteBucket', { by: ADMIN }),
  onFile('GetObject', { by: ADMIN }),
  onFile('DeleteObject', { by: ADMIN }),
  onFile('DeleteObjectVersion', { by: ADMIN }),
  onFile('GetObjectVersion', { by: ADMIN }),
  put('something of its own elsewhere', { by: ADMIN, key: 'mine/notes.txt', context: {} }),
];

const DENIED: readonly Case[] = [
  put('over what is there', { context: { 's3:ObjectCreationOperation': 'true' } }),
  put('over what is there, by a session', { by: SESSION, context: { 's3:ObjectCreationOperation': 'true' } }),
  put('over what is there, by the member itself', { by: ADMIN, context: { 's3:ObjectCreationOperation': 'true' } }),
  put('beside the prefix', { key: 'notes.txt' }),
  put('under another member’s prefix', { key: FILE.replace('bank-c', 'bank-a') }),
  put('under a prefix that starts alike', { key: FILE.replace('bank-c', 'bank-c2') }),
  put('under another network’s prefix', { key: FILE.replace('acme', 'acme-2') }),
  put('a part of a file beside the prefix', { key: 'large.bin', context: part }),
  put('over plain HTTP', { context: { ...once, 'aws:SecureTransport': 'false' } }),
  put('by another role of the operator', { by: role(OPERATOR, 'ledgerhold-acme-second-vault') }),
  put('by another network’s delivery', { by: role(OPERATOR, 'ledgerhold-acme-2_Delivery') }),
  put('by a role of this name under a path', { by: role(OPERATOR, 'x/ledgerhold-acme_Delivery') }),
  put('by a role of this name in another account', { by: role(OTHERS, 'ledgerhold-acme_Delivery') }),
  put('by the operator’s root', { by: `arn:aws:iam::${OPERATOR}:root` }),
  put('by a key of the operator’s', {
    context: { ...once, ...encrypted('aws:kms', KEY.replace(MEMBER, OPERATOR)) },
  }),
  put('by whichever key the writer has', { context: { ...once, ...encrypted('aws:kms') } }),
  put('by a key that only the writer knows', { context: { ...once, ...customers } }),
  put('parts by a key that only the writer knows', { context: { ...part, ...customers } }),
  ...['ListBucket', 'ListBucketVersions', 'ListBucketMultipartUploads', 'GetBucketPolicy', 'PutBucketPolicy'].map(
    (action) => does(action),
  ),
  ...['DeleteBucketPolicy', 'DeleteBucket', 'PutBucketVersioning', 'PutLifecycleConfiguration'].map((action) =>
    does(action),
  ),
  ...['PutBucketAcl', 'PutEncryptionConfiguration', 'PutBucketObjectLockConfiguration'].map((action) => does(action)),
  ...['DeleteObject', 'DeleteObjectVersion', 'GetObjectVersion', 'PutObjectAcl', 'PutObjectTagging'].map((action) =>
    onFile(action),
  ),
  ...['BypassGovernanceRetention', 'PutObjectRetention', 'PutObjectLegalHold', 'RestoreObject'].map((action) =>
    onFile(action),
  ),
  ...['ListMultipartUploadParts', 'GetObjectTagging', 'GetObjectAcl'].map((action) => onFile(action)),
  does('AbortMultipartUpload', { key: 'large.bin' }),
  does('GetObject', { key: 'notes.txt' }),
  onFile('GetObject', { by: role(OTHERS, 'admin') }),
];

/** Only where the member's key encrypts, or only where the keys of S3 do. */
const OWN_KEY = put('by the member’s key, by name', { context: { ...once, ...encrypted('aws:kms', KEY) } });
const S3_KEYS = put('by the keys of S3, by name', { context: { ...once, ...encrypted('AES256') } });
const READ = onFile('GetObject');

const told = async (policy: PolicyDocument, cases: readonly Case[]) => {
  const judge = memberIam(policy);
  const judged = await Promise.all(cases.map(async ([why, call]) => ({ why, allowed: await judge(call) })));
  return { allowed: judged.filter(({ allowed }) => allowed), denied: judged.filter(({ allowed }) => !allowed) };
};

/** Each is printed and read once: an app of CDK takes its seconds. */
const known = new Map<string, Promise<MemberSide>>();

function reads(parse: (typeof TEMPLATES)[number][1], args: readonly string[]): Promise<MemberSide> {
  const found = known.get(args.join(' ')) ?? cli(...BANK_C, ...args).then(({ stdout }) => parse(stdout));
  known.set(args.join(' '), found);
  return found;
}

/** A statement that the member, or somebody else, might add beside ours. */
const WIDE = { Sid: 'Wide', Effect: 'Allow', Principal: '*', Action: 's3:*' } as const;
const widened = ({ Version, Statement }: PolicyDocument): PolicyDocument => {
  const Resource = [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`];
  return { Version, Statement: [...Statement, { ...WIDE, Resource }] };
};

describe.each(TEMPLATES)('what a member deploys from the template for %s', (kind, parse, plainly, fully) => {
  let plain: MemberSide;
  let full: MemberSide;
  beforeAll(async () => {
    [plain, full] = await Promise.all([
      reads(parse, ['--for', kind, ...plainly]),
      reads(parse, ['--for', kind, ...fully]),
    ]);
  }, 120_000);

  test('lets the delivery role add what is new under the prefix, and the member rule', async () => {
    expect((await told(plain.bucketPolicy, [...ALLOWED, S3_KEYS])).denied).toEqual([]);
    expect((await told(full.bucketPolicy, [...ALLOWED, OWN_KEY, READ])).denied).toEqual([]);
  });

  test('lets nobody else, and the role do nothing else', async () => {
    expect((await told(plain.bucketPolicy, [...DENIED, OWN_KEY, READ])).allowed).toEqual([]);
    expect((await told(full.bucketPolicy, [...DENIED, S3_KEYS])).allowed).toEqual([]);
  });

  test('gives the role no more where a wider statement stands beside it', async () => {
    const ofTheRole = [...DENIED, READ].filter(([, { by }]) => by === DELIVERY || by === SESSION);
    expect(ofTheRole.length).toBeGreaterThanOrEqual(20);
    expect((await told(widened(plain.bucketPolicy), ofTheRole)).allowed).toEqual([]);
  });
});

describe('the key that a template makes', () => {
  const viaS3 = { 'kms:ViaService': `s3.${REGION}.amazonaws.com` };
  const ofBucket = { 'kms:EncryptionContext:aws:s3:arn': `arn:aws:s3:::${BUCKET}` };
  const kms = (action: string, rest: Partial<MemberCall> = {}): Case => [
    action,
    { by: DELIVERY, action: `kms:${action}`, context: { ...viaS3, ...ofBucket }, ...rest },
  ];
  const ofObject = { 'kms:EncryptionContext:aws:s3:arn': `arn:aws:s3:::${BUCKET}/${FILE}` };
  const MAY = [
    kms('GenerateDataKey'),
    kms('Decrypt'),
    kms('Decrypt', { by: SESSION }),
    kms('Decrypt', { context: { ...viaS3, ...ofObject } }),
    kms('ScheduleKeyDeletion', { by: ADMIN, context: {} }),
  ];
  const MAY_NOT = [
    kms('Decrypt', { context: ofBucket }),
    kms('Decrypt', { context: viaS3 }),
    kms('Decrypt', { context: { ...ofBucket, 'kms:ViaService': 's3.us-east-1.amazonaws.com' } }),
    kms('Decrypt', { context: { ...viaS3, 'kms:EncryptionContext:aws:s3:arn': 'arn:aws:s3:::another' } }),
    kms('GenerateDataKey', { by: role(OPERATOR, 'another') }),
    kms('Decrypt', { by: role(OTHERS, 'ledgerhold-acme_Delivery') }),
    ...['Encrypt', 'ReEncryptFrom', 'CreateGrant', 'PutKeyPolicy', 'ScheduleKeyDeletion', 'DescribeKey'].map((action) =>
      kms(action),
    ),
  ];

  test.each(TEMPLATES.filter(([kind]) => kind !== 'json'))(
    'by the one for %s is the member’s, and ours through S3 for this bucket',
    async (kind, parse, _plainly, fully) => {
      const { keyPolicy = { Version: '2012-10-17', Statement: [] } } = await reads(parse, ['--for', kind, ...fully]);
      expect((await told(keyPolicy, MAY)).denied).toEqual([]);
      expect((await told(keyPolicy, MAY_NOT)).allowed).toEqual([]);
    },
    60_000,
  );
});

describe('the Terraform module', () => {
  test('closes the bucket, keeps versions, locks, and aborts what stays unfinished', async () => {
    const { blocks } = terraformModule((await cli('--for', 'terraform', ...BANK_C, ...ALL)).stdout);
    const of = (type: string) => blocks[`resource.${type}.ledgerhold`];
    expect(of('aws_s3_bucket')).toMatchObject({
      attributes: { bucket: BUCKET, bucket_namespace: 'account-regional', object_lock_enabled: true },
      blocks: { lifecycle: { attributes: { prevent_destroy: true } } },
    });
    expect(of('aws_s3_bucket_public_access_block')?.attributes).toEqual({
      ...{ bucket: BUCKET, block_public_acls: true, block_public_policy: true },
      ...{ ignore_public_acls: true, restrict_public_buckets: true },
    });
    expect(JSON.stringify(of('aws_s3_bucket_ownership_controls'))).toContain('"BucketOwnerEnforced"');
    expect(JSON.stringify(of('aws_s3_bucket_versioning'))).toContain('"status":"Enabled"');
    expect(JSON.stringify(of('aws_s3_bucket_lifecycle_configuration'))).toContain('"days_after_initiation":7');
    expect(JSON.stringify(of('aws_s3_bucket_object_lock_configuration'))).toContain('{"mode":"GOVERNANCE","days":30}');
    expect(JSON.stringify(of('aws_s3_bucket_server_side_encryption_configuration'))).toContain(
      `{"sse_algorithm":"aws:kms","kms_master_key_id":"${KEY}"}`,
    );
  });

  test.each([[[]], [ALL]])('has a name of any other kind where it is given, with %j', async (args) => {
    const { stdout } = await cli('--for', 'terraform', '--member', 'bank-a', ...args);
    const attributes = terraformModule(stdout).blocks['resource.aws_s3_bucket.ledgerhold']?.attributes;
    expect(attributes).toMatchObject({ bucket: 'bank-a-ledger' });
    expect(attributes).not.toHaveProperty('bucket_namespace');
  });

  (hasTerraform() ? test : test.skip)('is as `terraform fmt` writes it, where there is a terraform', async () => {
    for (const args of [[], ALL]) {
      const { stdout } = await cli('--for', 'terraform', ...BANK_C, ...args);
      expect(execFileSync('terraform', ['fmt', '-'], { input: stdout, encoding: 'utf8', stdio: 'pipe' })).toBe(stdout);
    }
  });
});

function hasTerraform(): boolean {
  try {
    execFileSync('terraform', ['version'], { stdio: 'ignore', env: { ...process.env, CHECKPOINT_DISABLE: '1' } });
    return true;
  } catch {
    return false;
  }
}

describe('ledgerhold members policy', () => {
  test('prints the template alone, for the bucket of the configuration', async () => {
    const { exit, stdout, stderr } = await cli('--for', 'json', '--member', 'bank-a');
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(JSON.stringify(JSON.parse(stdout))).toContain('arn:aws:s3:::bank-a-ledger/ledgerhold/acme/bank-a/*');
  });

  test('takes the only member where there is one', async () => {
    await writeFile(join(cwd, 'one.yaml'), CONFIG.replace(/^ {2}- \{ id: bank-f.*$/m, ''));
    const { json } = await cli('--for', 'terraform', '--config', 'one.yaml', '--json');
    expect(json()).toMatchObject({ ok: true, member: 'bank-a', bucket: 'bank-a-ledger' });
  });

  test('tells with --json whose it is, where, for which role, and the same template', async () => {
    const { json } = await cli('--for', 'cloudformation', '--member', 'bank-a', '--json');
    expect(json()).toEqual({
      ...{ ok: true, code: 'POLICY', for: 'cloudformation', network: 'acme', member: 'bank-a' },
      ...{ bucket: 'bank-a-ledger', prefix: 'ledgerhold/acme/bank-a/', role: DELIVERY },
      template: (await cli('--for', 'cloudformation', '--member', 'bank-a')).stdout.trimEnd(),
    });
  });

  test('says what a key that was there before has to allow, since a template does not touch it', async () => {
    const args = ['--for', 'cloudformation', ...BANK_C, '--kms', KEY];
    const { keyStatement } = (await cli(...args, '--json')).json();
    expect((await cli(...args)).stderr).toContain(JSON.stringify(keyStatement));
    const made = await reads(fromCloudFormation, ['--for', 'cloudformation', '--kms']);
    expect(made.keyPolicy?.Statement).toContainEqual(keyStatement);
  });

  test.each([
    ['a key in another account', ['--member', 'bank-a', '--kms', KEY.replace(MEMBER, OTHERS)], OTHERS],
    ['a key in another Region', ['--member', 'bank-a', '--kms', KEY.replace(REGION, 'eu-west-1')], 'eu-west-1'],
    ['a bucket of another account', ['--member', 'bank-a', '--bucket', BUCKET.replace(MEMBER, OTHERS)], OTHERS],
    ['a key beside a bucket of another account', [...BANK_C, ...NAMED, '--kms', KEY.replace(MEMBER, OTHERS)], OTHERS],
    ['an alias', [...BANK_C, '--kms', 'alias/mine'], '--kms'],
    ['a name that no bucket has', [...BANK_C, '--bucket', 'Bank_C'], '--bucket'],
    ['a lock of no days', [...BANK_C, '--object-lock-days', '0'], '--object-lock-days'],
    ['a lock of half a day', [...BANK_C, '--object-lock-days', '0.5'], '--object-lock-days'],
    ['a member that no prefix can be of', ['--member', 'bank/c'], '--member'],
    ['a member with a folder', ['--member', 'bank-f'], 'bank-f has a folder'],
    ['nobody, of several', [], 'has 2 members'],
  ])('refuses %s by name', async (_what, args, named) => {
    const { exit, stdout, stderr } = await cli('--for', 'cdk', ...args);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toContain(named);
  });

  test.each([
    [[], '--bucket'],
    [[...NAMED, '--kms'], '--kms ARN'],
    [[...NAMED, '--object-lock-days', '3'], '--object-lock-days'],
  ])('gives no policy alone with %j, which says not enough or too much', async (args, named) => {
    const { exit, stderr } = await cli('--for', 'json', ...BANK_C, ...args);
    expect(exit).toBe(2);
    expect(stderr).toContain(named);
  });

  test('warns of a member that the configuration does not have', async () => {
    expect((await cli('--for', 'cdk', ...BANK_C)).stderr).toContain('no member bank-c yet');
  });

  test('needs to know the account that the delivery comes from', async () => {
    await writeFile(join(cwd, 'nowhere.yaml'), CONFIG.replace(/^aws: .*$/m, ''));
    const { exit, stderr } = await cli('--for', 'cdk', '--member', 'bank-a', '--config', 'nowhere.yaml');
    expect(exit).toBe(2);
    expect(stderr).toContain('AWS account');
  });
});
