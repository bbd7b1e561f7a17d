import { Construct } from 'constructs';
import type { ChainTick } from '../../core/chain-settings.ts';
import type { ChainReach } from '../chain-reach.ts';
import type { Storage } from '../storage.ts';
import { AgreeEnd } from './agree-end.ts';
import { ClaimChainSlot } from './claim-chain-slot.ts';
import { ExportRange } from './export-range.ts';
import { FailRun } from './fail-run.ts';
import { PlanRanges } from './plan-ranges.ts';
import { SealChain } from './seal-chain.ts';

export interface ChainOrders {
  /** What the first step goes by where nobody has set anything in the vault. */
  readonly tick: ChainTick;
  /** ARN of the state machine that brings the members what was sealed; absent: there are none. */
  readonly deliveries?: string | undefined;
}

/** The Lambdas that a chain's workflow calls, each with its own role. */
export class ChainSteps extends Construct {
  readonly claimChainSlot: ClaimChainSlot;
  readonly agreeEnd: AgreeEnd;
  readonly planRanges: PlanRanges;
  readonly exportRange: ExportRange;
  readonly sealChain: SealChain;
  readonly failRun: FailRun;

  constructor(scope: Construct, id: string, storage: Storage, reach: ChainReach, { tick, deliveries }: ChainOrders) {
    super(scope, id);
    this.claimChainSlot = new ClaimChainSlot(this, storage, tick);
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
