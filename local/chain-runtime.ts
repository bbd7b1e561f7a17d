import type { ChainRun } from '../core/chain.ts';
import type { OutputOf, OutputsOf } from '../core/step.ts';
import { agreeEnd } from '../lambdas/agree-end/contract.ts';
import { run as runAgreeEnd } from '../lambdas/agree-end/run.ts';
import { claimChainSlot } from '../lambdas/claim-chain-slot/contract.ts';
import { run as runClaimChainSlot } from '../lambdas/claim-chain-slot/run.ts';
import { exportRange } from '../lambdas/export-range/contract.ts';
import { type ExportPorts, run as runExportRange } from '../lambdas/export-range/run.ts';
import { failRun } from '../lambdas/fail-run/contract.ts';
import { run as runFailRun } from '../lambdas/fail-run/run.ts';
import { planRanges } from '../lambdas/plan-ranges/contract.ts';
import { type PlanRangesPorts, run as runPlanRanges } from '../lambdas/plan-ranges/run.ts';
import { sealChain } from '../lambdas/seal-chain/contract.ts';
import { run as runSealChain, type SealChainPorts } from '../lambdas/seal-chain/run.ts';
import { local, type RunOptions, type RuntimeEvent, runtime } from './runtime.ts';

/** All that the steps of a chain's run need of the world, whatever stands behind it. */
export type ChainRuntimePorts = Omit<SealChainPorts & ExportPorts & PlanRangesPorts, 'signal'>;

/** The state that a run ends with. Without `sealChain` the slot was not ours: `claimChainSlot` says why. */
export interface ChainState
  extends OutputsOf<typeof claimChainSlot>,
    Partial<OutputsOf<typeof agreeEnd | typeof planRanges | typeof sealChain>> {
  readonly run: ChainRun;
}

/** What a run tells as it goes. */
export type ChainNews =
  | ({ readonly kind: 'agreed' } & OutputOf<typeof agreeEnd>)
  | ({ readonly kind: 'stored' } & OutputOf<typeof exportRange>);

function newsOf(event: RuntimeEvent): ChainNews | undefined {
  if (event.kind !== 'ended') return undefined;
  if (event.step === 'agreeEnd') return { kind: 'agreed', ...agreeEnd.output.parse(event.output) };
  if (event.step === 'exportRange') return { kind: 'stored', ...exportRange.output.parse(event.output) };
  return undefined;
}

/** The chain workflow in this process. Rejects with the error that ended the run, when nothing of it runs any more. */
export function chainRuntime(
  definition: unknown,
  ports: ChainRuntimePorts,
  onNews: (news: ChainNews) => void = () => {},
): (run: ChainRun, options: RunOptions) => Promise<ChainState> {
  const onEvent = (event: RuntimeEvent) => {
    const news = newsOf(event);
    if (news !== undefined) onNews(news);
  };
  const workflow = runtime({ definition, steps: stepsOf(ports), onEvent });
  return async (run, options) => (await workflow.run({ run }, options)) as ChainState;
}

/** By their names in the definition. */
const stepsOf = (ports: ChainRuntimePorts) => ({
  claimChainSlot: local(claimChainSlot, (input) => runClaimChainSlot(input, ports)),
  agreeEnd: local(agreeEnd, (input, signal) => runAgreeEnd(input, { ...ports, signal })),
  planRanges: local(planRanges, (input) => runPlanRanges(input, ports)),
  exportRange: local(exportRange, (input, signal) => runExportRange(input, { ...ports, signal })),
  sealChain: local(sealChain, (input, signal) => runSealChain(input, { ...ports, signal })),
  failRun: local(failRun, (input) => runFailRun(input, ports)),
});
