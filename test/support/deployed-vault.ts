import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ended, PROGRAM, type Said } from './cli-world.ts';
import type { DeployedNetwork } from './deployed-network.ts';

/** Keys of all that lies in the vault. */
export async function keysOf({ vault }: DeployedNetwork): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of vault.list('')) keys.push(key);
  return keys.toSorted();
}

/** `ledgerhold verify --vault s3://…`, by whoever may read the bucket and has the public key. */
export async function verifiedByAddress(network: DeployedNetwork): Promise<Said> {
  const { ministack, bucket } = network;
  const { AWS_ENDPOINT_URL: endpoint, ...env } = ministack.env;
  return verified(network, `s3://${bucket}/acme`, { ...env, AWS_ENDPOINT_URL_S3: endpoint });
}

/** The same of a copy of the vault in a folder, with no way to the bucket. */
export async function verifiedInAFolder(network: DeployedNetwork): Promise<Said> {
  const folder = join(network.ministack.home, 'copied-vault');
  for (const key of await keysOf(network)) {
    await mkdir(dirname(join(folder, key)), { recursive: true });
    await writeFile(join(folder, key), (await network.vault.get(key)) ?? '');
  }
  return verified(network, folder, {});
}

async function verified(network: DeployedNetwork, vault: string, env: NodeJS.ProcessEnv): Promise<Said> {
  const args = ['verify', '--all', '--vault', vault, '--public-key', await publicKeyOf(network), '--json'];
  return ended(spawn(process.execPath, [PROGRAM, ...args], { cwd: network.ministack.home, env }));
}

/** Handed over by whoever deployed, as the signing key's public half. */
async function publicKeyOf({ ministack, vault }: DeployedNetwork): Promise<string> {
  const file = join(ministack.home, 'public-key.pem');
  for await (const { key } of vault.list('keys/')) {
    if (key.endsWith('.pem')) await writeFile(file, (await vault.get(key)) ?? '');
  }
  return file;
}
