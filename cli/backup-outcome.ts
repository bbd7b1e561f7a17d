import { backupNouns, backupText } from './render/backup.ts';
import type { BackupResult } from './run-backup.ts';
import type { Outcome } from './shell.ts';

/** A set whose order could be neither proved nor refuted is kept, and never passes for a good one. */
export function outcomeOf(result: BackupResult, warnings: readonly string[]): Outcome {
  const proven = result.manifest.value.verdict.status === 'proven';
  const code = result.outcome === 'already-sealed' ? 'ALREADY_SEALED' : 'SEALED';
  return {
    exit: proven ? 0 : 3,
    code: proven ? code : 'SEALED_UNPROVEN',
    nouns: { ...backupNouns(result), warnings },
    text: backupText(result),
  };
}
