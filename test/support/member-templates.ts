import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { PolicyDocument } from '../../core/bucket-policy.ts';
import { filled } from './filled-template.ts';
import { type HclFile, parseHcl } from './hcl.ts';
import { BUCKET, KEY, MEMBER, REGION } from './member-iam.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What a template makes, in the words of CloudFormation, deployed to `MEMBER` and `REGION`. */
export interface MemberSide {
  readonly bucketPolicy: PolicyDocument;
  readonly keyPolicy?: PolicyDocument;
}

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

interface Names {
  readonly BucketName?: string;
  readonly BucketNamePrefix?: string;
}

/** Each resource by its type, of a template that has one of each, with all filled in. */
export function resourcesByType(template: { readonly Resources: Record<string, Resource> }): Record<string, Resource> {
  const pseudo = { 'AWS::AccountId': MEMBER, 'AWS::Region': REGION, 'AWS::Partition': 'aws' };
  const names = Object.entries(template.Resources).map(([id, { Type, Properties }]) => {
    const { BucketNamePrefix = '', BucketName = `${BucketNamePrefix}-${MEMBER}-${REGION}-an` } = Properties as Names;
    const [ref, arn] = Type === 'AWS::KMS::Key' ? ['1234', KEY] : [BucketName, `arn:aws:s3:::${BucketName}`];
    return { [id]: ref, [`${id}.Arn`]: arn };
  });
  const deployed: Record<string, string> = Object.assign(pseudo, ...names);
  const resources = filled(template.Resources, deployed) as Record<string, Resource>;
  return Object.fromEntries(Object.values(resources).map((resource) => [resource.Type, resource]));
}

export function fromCloudFormation(text: string): MemberSide {
  const found = resourcesByType(JSON.parse(text));
  const keyPolicy = found['AWS::KMS::Key']?.Properties['KeyPolicy'] as PolicyDocument | undefined;
  const bucketPolicy = found['AWS::S3::BucketPolicy']?.Properties['PolicyDocument'] as PolicyDocument;
  return { bucketPolicy, ...(keyPolicy && { keyPolicy }) };
}

/** The module as it is with these data sources and what AWS calls its resources. Throws where it names what it has not. */
export function terraformModule(text: string): HclFile {
  const known: Record<string, string> = {
    'data.aws_caller_identity.current.account_id': MEMBER,
    'data.aws_region.current.region': REGION,
    'aws_kms_key.ledgerhold.arn': KEY,
    'aws_s3_bucket.ledgerhold.id': BUCKET,
  };
  const { blocks } = parseHcl(text, (name) => known[name] ?? name);
  const locals = blocks['locals']?.attributes as Readonly<Record<string, string>>;
  return parseHcl(text, (name) => {
    const found = known[name] ?? locals[name.replace(/^local\./, '')];
    if (found === undefined && !(`resource.${name}` in blocks))
      throw new Error(`the module names ${name}, and has none`);
    return found ?? name;
  });
}

export function fromTerraform(text: string): MemberSide {
  const { blocks } = terraformModule(text);
  const policyOf = (type: string) => {
    // It is the text that `jsonencode` makes.
    const policy = blocks[`resource.${type}.ledgerhold`]?.attributes['policy'] as string | undefined;
    return policy === undefined ? undefined : (JSON.parse(policy) as PolicyDocument);
  };
  const [bucketPolicy, keyPolicy] = [policyOf('aws_s3_bucket_policy'), policyOf('aws_kms_key')];
  if (bucketPolicy === undefined) throw new Error('the module has no policy of a bucket');
  return { bucketPolicy, ...(keyPolicy && { keyPolicy }) };
}

/** Runs the app that was printed, as it is but for where the package lies, and reads what it synthesizes. */
export async function fromCdk(source: string): Promise<MemberSide> {
  const outdir = await mkdtemp(join(tmpdir(), 'ledgerhold-member-cdk-'));
  try {
    const here = source.replace("'ledgerhold/cdk'", `'${pathToFileURL(join(ROOT, 'lib/cdk.ts')).href}'`);
    const env = { ...process.env, CDK_OUTDIR: outdir, NODE_OPTIONS: '' };
    await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '--eval', here], { cwd: ROOT, env });
    return fromCloudFormation(await readFile(join(outdir, 'LedgerholdMember-acme.template.json'), 'utf8'));
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}
