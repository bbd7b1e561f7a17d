import { LedgerholdError } from '../core/errors.ts';

/** Nobody said that the node has been stopped. */
export class FenceMissing extends LedgerholdError {
  override readonly name = 'FenceMissing';
  readonly kind = 'refused';
  constructor(node: string) {
    super(
      `nobody has confirmed that ${node} is stopped and stays so`,
      'Run the plan’s stop commands, on every host where a copy of the node may run; then repeat with --fenced.',
    );
  }
}

/** Something has changed since the plan was made. */
export class PlanOutdated extends LedgerholdError {
  override readonly name = 'PlanOutdated';
  readonly kind = 'refused';
  constructor(why: string) {
    super(`the plan no longer fits: ${why}`, 'Make a new one with `ledgerhold restore plan`.');
  }
}

/** A name that the restore needs belongs to something else. */
export class DatabaseNameTaken extends LedgerholdError {
  override readonly name = 'DatabaseNameTaken';
  readonly kind = 'refused';
  constructor(database: string, why: string) {
    super(
      `there is a database ${database} already: ${why}`,
      `Look at it; if nobody needs it any more, drop or rename it, and run this again.`,
    );
  }
}

/** A database is to be replaced by somebody who is not its owner, and may not act as its owner. */
export class NotTheOwner extends LedgerholdError {
  override readonly name = 'NotTheOwner';
  readonly kind = 'refused';
  constructor(database: string, owner: string, user: string) {
    super(
      `database ${database} belongs to ${owner}, and ${user} may not act as ${owner}`,
      `Give ${owner}’s own URL in the configuration, or a superuser’s; then run this again. Nothing was restored.`,
    );
  }
}

/** Another process is restoring onto the same server. */
export class RestoreRunning extends LedgerholdError {
  override readonly name = 'RestoreRunning';
  readonly kind = 'refused';
  constructor(node: string) {
    super(`another restore of ${node} is running`, 'Wait for its end, or end it.');
  }
}

/** The set is not what it says, or what it says speaks against it. */
export class SetNotSound extends LedgerholdError {
  override readonly name = 'SetNotSound';
  readonly kind = 'violation';
  constructor(set: string, findings: readonly string[]) {
    super(
      `set ${set} must not be restored: ${findings.join('; ')}`,
      'Choose another: `ledgerhold restore plan` passes over sets like this one.',
    );
  }
}

/** The set cannot be proved here, and nobody accepted that. */
export class SetNotProven extends LedgerholdError {
  override readonly name = 'SetNotProven';
  readonly kind = 'unknown';
  constructor(set: string, findings: readonly string[]) {
    super(
      `set ${set} cannot be proved: ${findings.join('; ')}`,
      'Give the public key with --public-key, or make a plan that accepts it: restore plan --accept unproven.',
    );
  }
}

/** What was restored is not what was attested when it was captured. */
export class RestoredDiffers extends LedgerholdError {
  override readonly name = 'RestoredDiffers';
  readonly kind = 'violation';
  constructor(what: string, why: string) {
    super(
      `the restored ${what} is not what was captured: ${why}`,
      'Choose another set; the node’s databases are as before.',
    );
  }
}

/** The snapshot that a set refers to is not there as it was sealed. */
export class SnapshotGone extends LedgerholdError {
  override readonly name = 'SnapshotGone';
  readonly kind = 'violation';
  constructor(id: string, why: string) {
    super(
      `snapshot ${id} cannot be restored: ${why}`,
      'Restore another set, or copy the snapshot back from the second vault. Nothing was made.',
    );
  }
}

/** An instance or cluster that is not of this restore has the name that the restore needs. */
export class InstanceNameTaken extends LedgerholdError {
  override readonly name = 'InstanceNameTaken';
  readonly kind = 'refused';
  constructor(identifier: string) {
    super(
      `${identifier} exists in RDS and is not of this restore`,
      'Look at it; if nobody needs it any more, delete it, and run this again. It was not touched.',
    );
  }
}

/** RDS did not bring the copy up. */
export class CopyFailed extends LedgerholdError {
  override readonly name = 'CopyFailed';
  readonly kind = 'external';
  constructor(component: string, identifier: string, status: string) {
    super(
      `${component} was not restored: ${identifier} is ${status}`,
      `Look at its events (\`aws rds describe-events --source-identifier ${identifier} --source-type db-instance\`), delete it, and run this again.`,
    );
  }
}

export class RestoreTooSlow extends LedgerholdError {
  override readonly name = 'RestoreTooSlow';
  readonly kind = 'external';
  constructor(identifiers: readonly string[], hours: number) {
    super(
      `${identifiers.join(', ')} did not become available within ${hours} hours`,
      'Look at their events in RDS; run this again to go on waiting.',
    );
  }
}
