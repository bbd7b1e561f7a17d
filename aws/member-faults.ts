import { EMPTIED } from '../core/check-reports.ts';
import type { MemberFault } from '../core/members.ts';

/** The bucket, as a fault tells it. */
export interface Told {
  readonly url: string;
  readonly bucket: string;
  readonly account: string;
  readonly region: string;
  readonly prefix: string;
  readonly kmsKey?: string;
}

const fault = (name: string, message: string, remedy: string): MemberFault => ({ name, message, remedy });

/** To a wrong owner S3 says no more than to a missing right. */
export const accessDenied = ({ url, bucket, account, prefix }: Told, said: string): MemberFault =>
  fault(
    'ACCESS_DENIED',
    `${url} does not let us add files: ${said}`,
    `Give ${bucket} the policy that \`ledgerhold members policy\` prints for ${prefix}*, and see that account ` +
      `${account} owns the bucket: if another one does now, register your new bucket.`,
  );

export const noSuchBucket = ({ bucket }: Told): MemberFault =>
  fault(
    'NO_SUCH_BUCKET',
    `there is no bucket ${bucket}`,
    'Create it in your account, and let the check be run again. Where files were delivered to it before, or where it is ' +
      'another one now, register it again: everything is delivered anew.',
  );

export const emptied = ({ url }: Told): MemberFault =>
  fault(
    EMPTIED,
    `what our first check has left in ${url} is gone: the bucket was emptied, or made anew`,
    'Register it again: everything is delivered anew, and what is still there stays as it is.',
  );

export const anotherRegion = ({ bucket, region }: Told, said: string): MemberFault =>
  fault('ANOTHER_REGION', `${bucket} is not in ${region}: ${said}`, 'Register the Region that the bucket is in.');

export const notReached = ({ url, region }: Told, said: string): MemberFault =>
  fault(
    'NOT_REACHED',
    `${url} in ${region} is not to be found: ${said}`,
    'See that there is such a Region, and register the one that the bucket is in; else let the check be run again.',
  );

export const keyUnusable = ({ url, kmsKey }: Told, said: string): MemberFault =>
  fault(
    'KEY_UNUSABLE',
    `${url} cannot encrypt with ${kmsKey ?? 'its key'}: ${said}`,
    'Enable the key, and let our delivery role have kms:GenerateDataKey and kms:Decrypt through S3 by its policy.',
  );

/** `encryption`: as S3 answered; undefined if it did not. */
export const keyNotUsed = ({ url, kmsKey }: Told, encryption: string | undefined): MemberFault =>
  fault(
    'ANOTHER_KEY',
    `${url} encrypts with ${encryption ?? 'nothing that it names'} and not with ${kmsKey ?? 'SSE-S3'}`,
    'Let the bucket encrypt with SSE-S3, or register the full ARN of your own key that it encrypts with.',
  );

export const otherwiseRefused = ({ url }: Told, said: string): MemberFault =>
  fault(
    'REFUSED',
    `${url} refuses what we send: ${said}`,
    'Compare the bucket with what `ledgerhold members policy` prints (policy, encryption, ownership, Object Lock), undo ' +
      'what differs, and let the check be run again; if nothing does, send this message to the operator.',
  );

/** What a bucket lets us do that it has to refuse. `said`: how it answered, if it was no plain refusal. */
export const allowsTooMuch = (to: Told, name: keyof typeof TOO_MUCH, said: string): MemberFault =>
  fault(
    name,
    `${to.url} ${TOO_MUCH[name]}${said === '' ? '' : ` (it says ${said}, and not 403)`}`,
    `Replace the policy of ${to.bucket} by the one that \`ledgerhold members policy\` prints, and take back every other ` +
      'right that you gave our account.',
  );

const TOO_MUCH = {
  OVERWRITABLE: 'does not refuse that we overwrite what lies there',
  DELETABLE: 'does not refuse that we delete what lies there',
  WIDE_OPEN: 'does not refuse that we add files outside of our prefix',
} as const;
