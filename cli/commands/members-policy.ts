import type { Config } from '../../config/schema.ts';
import { deliveryRoleArn, type MemberAccess, memberKeyStatement } from '../../core/member-policy.ts';
import { bucketName, MemberBucketSpec, type Place, placeInName, placeOfKey } from '../../core/member-template.ts';
import { memberPrefix } from '../../core/names.ts';
import { loadConfig } from '../context.ts';
import { operatorAccountOf } from '../members.ts';
import { memberTemplate, type TemplateKind } from '../render/member-templates.ts';
import type { Outcome, Shell } from '../shell.ts';
import { UsageError } from '../usage-error.ts';

export interface MembersPolicyFlags {
  readonly for: TemplateKind;
  readonly member?: string;
  readonly bucket?: string;
  readonly kms?: string | true;
  readonly objectLockDays?: string;
  readonly grantReads?: true;
}

/** The template goes to stdout alone, so that it can be sent into a file. Nothing is called and nothing changed. */
export async function membersPolicy(shell: Shell, flags: MembersPolicyFlags): Promise<Outcome> {
  const { config } = await loadConfig(shell);
  const { id, bucket, place } = destinationOf(config, flags.member);
  if (config.members?.some((each) => each.id === id) !== true) shell.warn(`the configuration has no member ${id} yet`);
  const spec = specOf(config, id, bucket, flags);
  agree(spec, place, flags.for);
  // An account-regional name can be had in one place alone.
  const template = memberTemplate(flags.for, spec, place ?? placeInName(spec.bucket ?? ''));
  const keyStatement = keyStatementOf(spec, place);
  if (keyStatement)
    shell.warn(`the policy of the key ${spec.key} needs this statement: ${JSON.stringify(keyStatement)}`);
  const { network, member } = spec;
  return {
    exit: 0,
    code: 'POLICY',
    nouns: {
      ...{ network, member, bucket: spec.bucket ?? null, prefix: memberPrefix(network, member) },
      ...{
        role: deliveryRoleArn(spec),
        for: flags.for,
        template: template.join('\n'),
        ...(keyStatement && { keyStatement }),
      },
    },
    text: template,
  };
}

interface Destination {
  readonly id: string;
  readonly bucket?: string;
  /** Where the member's account and bucket are; undefined for who is not in the configuration. */
  readonly place?: Place;
}

function destinationOf({ members = [] }: Config, wanted: string | undefined): Destination {
  const ids = members.map(({ id }) => id);
  const [only, ...others] = ids;
  const id = wanted ?? (others.length === 0 ? only : undefined);
  if (id === undefined) {
    const remedy = `Name one with --member${ids.length === 0 ? ' ID' : `: ${ids.join(', ')}`}.`;
    throw new UsageError(`the configuration has ${ids.length} members`, remedy);
  }
  const found = members.find((member) => member.id === id);
  if (found === undefined) return { id };
  if ('folder' in found) {
    throw new UsageError(
      `the member ${id} has a folder and no bucket`,
      'A folder needs no policy: give us the right to write into it.',
    );
  }
  const { bucket, account, region } = found;
  return { id, bucket, place: { account, region } };
}

function specOf(
  config: Config,
  member: string,
  bucket: string | undefined,
  flags: MembersPolicyFlags,
): MemberBucketSpec {
  const operatorAccount = operatorAccountOf(config);
  if (operatorAccount === undefined) {
    const remedy = 'Write it as `account` under `aws`, or of a vault that is a bucket on AWS under `vault.s3`.';
    throw new UsageError('the configuration does not tell your AWS account', remedy);
  }
  const days = flags.objectLockDays;
  const made = MemberBucketSpec.safeParse({
    ...{ network: config.network, member, operatorAccount, bucket: flags.bucket ?? bucket },
    key: flags.kms === true ? 'new' : flags.kms,
    lock: days === undefined ? undefined : { mode: 'GOVERNANCE', days: Number(days) },
    reads: flags.grantReads,
  });
  if (made.success) return made.data;
  const [issue] = made.error.issues;
  throw new UsageError(
    `${OPTIONS[String(issue?.path[0])] ?? 'the member'}: ${issue?.message}`,
    'See `ledgerhold members policy --help`.',
  );
}

const OPTIONS: Readonly<Record<string, string>> = {
  ...{ member: '--member', bucket: '--bucket', key: '--kms', lock: '--object-lock-days' },
};

/** Rejects what would be refused only at the member, or would let the wrong one in. */
function agree({ bucket, key, lock }: MemberBucketSpec, place: Place | undefined, kind: TemplateKind): void {
  const own = key === undefined ? undefined : placeOfKey(key);
  const named = bucket === undefined ? undefined : placeInName(bucket);
  const places = [place, named, own].filter((each) => each !== undefined);
  for (const { account, region } of places) {
    const [first] = places;
    if (first === undefined || (first.account === account && first.region === region)) continue;
    const remedy =
      'Bucket and key have to be in the member’s account and in one Region: the configuration, a name that ends in -an, and the key’s ARN tell it.';
    throw new UsageError(
      `${account} in ${region} is not where the member is: ${first.account} in ${first.region}`,
      remedy,
    );
  }
  if (kind !== 'json') return;
  const remedy = 'A policy alone is for a bucket that there is. Name it, or ask for a template that makes one.';
  if (bucket === undefined) throw new UsageError('the bucket’s name is not known: give --bucket', remedy);
  if (key === 'new') throw new UsageError('the key’s ARN is not known: give --kms ARN', remedy);
  if (lock !== undefined) throw new UsageError('--object-lock-days is of the bucket, not of its policy', remedy);
}

/** Of a key that was there before; a template does not touch its policy. */
function keyStatementOf(spec: MemberBucketSpec, place: Place | undefined) {
  const at = spec.key === undefined ? undefined : placeOfKey(spec.key);
  if (at === undefined) return undefined;
  const access: MemberAccess = { ...spec, bucket: bucketName(spec, place ?? at) };
  return memberKeyStatement(access, at.region);
}
