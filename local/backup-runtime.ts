import type { Signer } from '../core/ports.ts';
import type { Run } from '../core/run.ts';
import type { OutputsOf } from '../core/step.ts';
import { claimSlot } from '../lambdas/claim-slot/contract.ts';
import { run as runClaimSlot } from '../lambdas/claim-slot/run.ts';
import { failRun } from '../lambdas/fail-run/contract.ts';
import { run as runFailRun } from '../lambdas/fail-run/run.ts';
import { finishCapture } from '../lambdas/finish-capture/contract.ts';
import { run as runFinishCapture } from '../lambdas/finish-capture/run.ts';
import { planWaves } from '../lambdas/plan-waves/contract.ts';
import { run as runPlanWaves } from '../lambdas/plan-waves/run.ts';
import { pollCapture } from '../lambdas/poll-capture/contract.ts';
import { run as runPollCapture } from '../lambdas/poll-capture/run.ts';
import { preflight } from '../lambdas/preflight/contract.ts';
import { promoteIdentities } from '../lambdas/promote-identities/contract.ts';
import { sealManifest } from '../lambdas/seal-manifest/contract.ts';
import { run as runSealManifest, type SealManifestPorts } from '../lambdas/seal-manifest/run.ts';
import { startCapture } from '../lambdas/start-capture/contract.ts';
import { run as runStartCapture } from '../lambdas/start-capture/run.ts';
import type { LocalCaptures } from './captures.ts';
import { local, type RunOptions, type RuntimeEvent, runtime } from './runtime.ts';
import { givenUp } from './runtime-errors.ts';

/** All that the steps of a backup need of the world, whatever stands behind it. */
export interface BackupPorts extends SealManifestPorts {
  /** Of one run: they are stopped when it ends. */
  readonly captures: LocalCaptures;
  readonly signer: Signer;
}

/** The state that a backup ends with. Without `sealManifest` the slot was not ours: `claimSlot` says why. */
export interface BackupState
  extends OutputsOf<typeof claimSlot>,
    Partial<OutputsOf<typeof planWaves | typeof sealManifest>> {
  readonly run: Run;
}

export interface BackupRuntime {
  /** Rejects with the error that ended the run, when nothing of it runs any more. */
  backup(run: Run, options: RunOptions): Promise<BackupState>;
}

/** The backup workflow in this process. `definition` is what the build has written for it. */
export function backupRuntime(
  definition: unknown,
  ports: BackupPorts,
  onEvent?: (event: RuntimeEvent) => void,
): BackupRuntime {
  const workflow = runtime({ definition, steps: stepsOf(ports), ...(onEvent && { onEvent }) });
  return {
    backup: async (run, options) => {
      try {
        return (await workflow.run({ run }, options)) as BackupState;
      } finally {
        await ports.captures.stop(options.signal?.reason);
      }
    },
  };
}

/** By their names in the definition. */
export function stepsOf(ports: BackupPorts) {
  return {
    claimSlot: local(claimSlot, (input) => runClaimSlot(input, ports)),
    // Nothing that is captured from here counts against a quota.
    preflight: local(preflight, async () => ({ snapshots: 0 })),
    planWaves: local(planWaves, (input) => runPlanWaves(input, ports)),
    startCapture: local(startCapture, (input) => runStartCapture(input, ports)),
    pollCapture: local(pollCapture, async (input, signal) => {
      // Signalled, the run has failed or is given up: no capture may go on behind it, and the poll need not wait.
      const stop = () => void ports.captures.stop(signal.reason);
      signal.addEventListener('abort', stop, { once: true });
      try {
        return await runPollCapture(input, ports);
      } finally {
        signal.removeEventListener('abort', stop);
      }
    }),
    finishCapture: local(finishCapture, (input) => runFinishCapture(input, ports)),
    sealManifest: local(sealManifest, (input) => runSealManifest(input, ports)),
    // One machine keeps identities in the vault alone: there is no copy to make current.
    promoteIdentities: local(promoteIdentities, async () => ({ promoted: [] })),
    failRun: local(failRun, async (input) => {
      // The lease is given up last: the next attempt should not meet this one's dumps at work.
      await ports.captures.stop(givenUp(input.failure));
      return runFailRun(input, ports);
    }),
  };
}
