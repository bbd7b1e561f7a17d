import { Construct } from 'constructs';
import type { VpcPlace } from '../../config/nodes.ts';
import type { CaptureSources } from '../../core/capture-sources.ts';
import type { DumpTasks } from '../dump-tasks.ts';
import type { IdentitiesSecrets } from '../identities-secrets.ts';
import type { Storage } from '../storage.ts';
import { ClaimSlot } from './claim-slot.ts';
import { FailRun } from './fail-run.ts';
import { FinishCapture } from './finish-capture.ts';
import { PlanWaves } from './plan-waves.ts';
import { PollCapture } from './poll-capture.ts';
import { Preflight } from './preflight.ts';
import { PromoteIdentities } from './promote-identities.ts';
import { SealManifest } from './seal-manifest.ts';
import { StartCapture } from './start-capture.ts';

export interface BackupStepsProps {
  readonly captures: CaptureSources;
  readonly secrets: IdentitiesSecrets;
  /** The private network that the nodes are reached from. */
  readonly vpc?: VpcPlace | undefined;
  /** Absent where no node is configured for Fargate. */
  readonly dumps?: DumpTasks | undefined;
  /** Whether snapshots are copied to the second vault. */
  readonly copiedElsewhere?: boolean | undefined;
}

/** The Lambdas that the backup's workflow calls, each with its own role. */
export class BackupSteps extends Construct {
  readonly claimSlot: ClaimSlot;
  readonly preflight: Preflight;
  readonly planWaves: PlanWaves;
  readonly startCapture: StartCapture;
  readonly pollCapture: PollCapture;
  readonly finishCapture: FinishCapture;
  readonly sealManifest: SealManifest;
  readonly promoteIdentities: PromoteIdentities;
  readonly failRun: FailRun;

  constructor(scope: Construct, id: string, storage: Storage, props: BackupStepsProps) {
    super(scope, id);
    const { captures, secrets, vpc, dumps, copiedElsewhere } = props;
    this.claimSlot = new ClaimSlot(this, storage);
    this.preflight = new Preflight(this, { network: storage.network, captures, copiedElsewhere });
    this.planWaves = new PlanWaves(this);
    this.startCapture = new StartCapture(this, storage, { captures, secrets, vpc, dumps, copiedElsewhere });
    this.pollCapture = new PollCapture(this, storage, captures, dumps);
    this.finishCapture = new FinishCapture(this, storage, captures, dumps);
    this.sealManifest = new SealManifest(this, storage);
    this.promoteIdentities = new PromoteIdentities(this, storage, secrets);
    this.failRun = new FailRun(this, storage);
  }

  /** All of them. */
  get all() {
    const { claimSlot, preflight, planWaves, startCapture, pollCapture, finishCapture } = this;
    const { sealManifest, promoteIdentities, failRun } = this;
    const captures = [startCapture, pollCapture, finishCapture];
    return [claimSlot, preflight, planWaves, ...captures, sealManifest, promoteIdentities, failRun];
  }
}
