import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { folderVault } from '../local/folder-vault.ts';
import { MemoryVault } from '../test/fakes/memory-vault.ts';
import { backupToy, newKeys, toyProtocol } from '../test/support/toy-sets.ts';
import { verify } from '../vault/verify.ts';
import type { BenchResult } from './result.ts';

const SETS = 500;
const LIMIT_SECONDS = 3;

/** `verify --quick` of 500 sets in a folder, against reading the same files and nothing else. */
export async function run(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-verify-sets-'));
  try {
    const [world, files] = [{ vault: new MemoryVault(), keys: newKeys() }, [] as string[]];
    for (let n = 0; n < SETS; n++) await backupToy(world, `slot-${n}`);
    for (const [key, body] of world.vault.objects) {
      const file = join(folder, key);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, body);
      files.push(file);
    }
    const read = seconds(() => {
      for (const file of files) readFileSync(file);
    });
    const started = performance.now();
    const report = await verify({
      ...{ vault: folderVault(folder), publicKeys: [world.keys.publicKey], protocolNamed: () => toyProtocol },
      depth: 'structure',
    });
    const ours = (performance.now() - started) / 1000;
    if (report.status !== 'proven' || report.sets.length !== SETS) throw new Error(`${report.status}, not proven`);
    return {
      ...{ name: 'verify-sets', unit: 's', ours },
      peer: { name: `reading the same ${files.length} files`, value: read },
      ratio: ours / read,
      limit: { name: `${LIMIT_SECONDS} s for ${SETS} sets`, value: LIMIT_SECONDS },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function seconds(work: () => void): number {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}
