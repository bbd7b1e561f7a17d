import type { Comparison } from '../../core/positions.ts';
import { type BackupResult, doubts } from '../run-backup.ts';
import { bytesOf } from './sets.ts';
import { bytesText, secondsText, table } from './units.ts';

export function backupNouns({ outcome, set, manifest: { value, sha256 }, vault }: BackupResult): object {
  const { node, seq, slot, fence, reason, sealedAt, verdict, waves, spreadSeconds, components } = value;
  return {
    ...{ outcome, set, node, seq, slot, fence, reason, sealedAt, manifest: sha256, vault: vault.url },
    verdict: verdict.status,
    ...(verdict.status === 'unknown' ? { reasons: verdict.reasons } : {}),
    ...{ comparisons: verdict.comparisons, waves, spreadSeconds },
    components: components.map(({ component, role, artifacts }) => ({ component, role, artifacts })),
    bytes: bytesOf(components),
  };
}

export function backupText(result: BackupResult): string[] {
  const { value, sha256 } = result.manifest;
  const done = result.outcome === 'sealed' ? 'Sealed' : 'Nothing to do: this slot is sealed as';
  return [
    `${done} ${result.set}, slot ${value.slot}, in ${result.vault.url}`,
    ...table([
      ['  order', value.waves.map((wave) => wave.join(' + ')).join(' → ')],
      ['  spread', secondsText(value.spreadSeconds)],
      ['  stored', `${bytesText(bytesOf(value.components))} in ${value.components.length} components`],
      ...value.verdict.comparisons.map((comparison) => ['  position', comparisonText(comparison)]),
      ['  verdict', value.verdict.status],
      ...doubts(value).map((doubt) => ['  unproven', doubt]),
      ['  manifest', sha256],
    ]),
  ];
}

/** `app-behind-participant: validator-app ingested 66 ≤ participant ledger-end 70`. */
export function comparisonText({ law, scope, lower, upper }: Comparison): string {
  const on = scope === undefined ? '' : ` on ${scope}`;
  return `${law}: ${lower.component} ${lower.value} ≤ ${upper.component} ${upper.value}${on}`;
}
