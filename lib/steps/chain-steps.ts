import { Construct } from 'constructs';
import type { ChainReach } from '../chain-reach.ts';
import type { Storage } from '../storage.ts';
import { AgreeEnd } from './agree-end.ts';
import { ClaimChainSlot } from './claim-chain-slot.ts';
import { ExportRange } from './export-range.ts';
import { FailRun } from './fail-run.ts';
import { PlanRanges } from './plan-ranges.ts';
import { SealChain } from './seal-chain.ts';

/** The Lambdas that a chain's workflow calls, each with its own role. */
export class ChainSteps extends Construct {
  readonly claimChainSlot: ClaimChainSlot;
  readonly agreeEnd: AgreeEnd;
  readonly planRanges: PlanRanges;
  readonly exportRange: ExportRange;
  readonly sealChain: SealChain;
  readonly failRun: FailRun;

  constructor(scope: Construct, id: string, storage: Storage, reach: ChainReach, deliveries?: string) {
    super(scope, id);
    this.claimChainSlot = new ClaimChainSlot(this, storage);
    this.agreeEnd = new AgreeEnd(this, storage, reach);
    this.planRanges = new PlanRanges(this, storage, reach);
    this.exportRange = new ExportRange(this, storage, reach);
    this.sealChain = new SealChain(this, storage, reach, deliveries);
    this.failRun = new FailRun(this, storage);
  }

  /** All of them. */
  get all() {
    const { claimChainSlot, agreeEnd, planRanges, exportRange, sealChain, failRun } = this;
    return [claimChainSlot, agreeEnd, planRanges, exportRange, sealChain, failRun];
  }
}
