import { type LockPolicy, lockDays } from '../core/object-lock.ts';
import type { Clock } from '../core/ports.ts';
import type { S3VaultOptions } from './s3-bucket.ts';

const DAY_MS = 86_400_000;

/** Locks each object of a vault by its class, from the moment at which it is written. */
export const lockBy =
  (policy: LockPolicy, { now }: Clock): NonNullable<S3VaultOptions['lockFor']> =>
  (key) => {
    const days = lockDays(key, policy);
    return days === undefined
      ? undefined
      : { mode: policy.mode, retainUntil: new Date(now().getTime() + days * DAY_MS) };
  };
