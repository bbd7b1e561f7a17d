import type { DrillResult } from '../../local/drill.ts';
import { measuredText, table } from './units.ts';

/** `record`: where the signed record lies; null if none was left. */
export const drillNouns = (result: DrillResult, record: string | null): Record<string, unknown> => ({
  ...{ set: result.set, manifest: result.manifest, outcome: result.outcome, steps: result.steps },
  ...{ rtoMilliseconds: result.rtoMilliseconds, startedAt: result.startedAt, endedAt: result.endedAt, record },
});

const VERDICTS: Readonly<Record<DrillResult['outcome'], string>> = {
  passed: 'was restored in isolation and is what was captured',
  failed: 'FAILED its drill',
  unknown: 'could not be tried',
};

export function drillText(result: DrillResult, record: string | null): string[] {
  const { set, outcome, steps, rtoMilliseconds } = result;
  return [
    `${set} ${VERDICTS[outcome]}.`,
    ...table(
      steps.map(({ name, outcome: how, milliseconds, text }) => [`  ${name}`, how, measuredText(milliseconds), text]),
    ),
    ...(outcome === 'passed' ? [`Measured recovery time: ${measuredText(rtoMilliseconds)}, on this machine.`] : []),
    record === null ? 'No record was left: that needs the config, whose key signs it.' : `Recorded as ${record}.`,
  ];
}
