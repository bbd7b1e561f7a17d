import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fence } from '../core/names.ts';
import { noEncryption } from '../io/no-encryption.ts';
import { folderVault } from '../local/folder-vault.ts';
import { newKeys, toyProtocol, toyRun, toySteps } from '../test/support/toy-sets.ts';
import { storeArtifact } from '../vault/artifact.ts';
import { verify } from '../vault/verify.ts';
import type { BenchResult } from './result.ts';

const MEGABYTES = 512;
const ROUNDS = 3;

/** How fast `verify` reads, against `sha256sum` of the same file. */
export async function run(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-verify-bytes-'));
  try {
    const vault = folderVault(folder);
    const keys = newKeys();
    const { key } = await sealLarge(vault, keys);
    const [ours, peer]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      peer.push(await rate(async () => void execFileSync('sha256sum', [join(folder, key)])));
      ours.push(await rate(() => prove(vault, keys.publicKey)));
    }
    const best = { ours: Math.max(...ours), peer: Math.max(...peer) };
    return {
      ...{ name: 'verify-bytes', unit: 'MB/s', ours: best.ours },
      peer: { name: 'sha256sum', value: best.peer },
      ratio: best.ours / best.peer,
      limit: { name: '0.8 × sha256sum', value: 0.8 * best.peer },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function sealLarge(vault: ReturnType<typeof folderVault>, keys: ReturnType<typeof newKeys>) {
  const steps = toySteps({ vault, keys }, toyRun('large'));
  await steps.claim();
  const options = { content: 'toy', compress: 'none', encryption: noEncryption, context: {} } as const;
  const artifact = await storeArtifact(vault, 'sets/toy-1/runs/large/1/large.bin', noise(), options);
  const { captures } = steps.ports;
  const { finish } = captures;
  Object.assign(captures, {
    finish: async (handle: string) => ({
      ...(await finish(handle)),
      ...(handle.includes('"ledger"') && { artifacts: [artifact] }),
    }),
  });
  await steps.capture(1);
  await steps.seal(Fence.parse(1));
  return artifact;
}

async function* noise(): AsyncIterable<Uint8Array> {
  const block = randomBytes(1024 * 1024);
  for (let n = 0; n < MEGABYTES; n++) yield block;
}

async function prove(vault: ReturnType<typeof folderVault>, publicKey: string): Promise<void> {
  const protocolNamed = () => toyProtocol;
  const { status } = await verify({ vault, publicKeys: [publicKey], protocolNamed, depth: 'bytes' });
  if (status !== 'proven') throw new Error(`${status}, not proven`);
}

async function rate(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (MEGABYTES * 1.048576) / ((performance.now() - started) / 1000);
}
