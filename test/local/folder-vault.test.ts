import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderJanitor, folderVault } from '../../local/folder-vault.ts';
import { behavesLikeAVault } from '../conformance/behaves-like-a-vault.ts';

behavesLikeAVault('a folder', async () => {
  const home = await mkdtemp(join(tmpdir(), 'ledgerhold-vault-'));
  const path = join(home, 'not', 'yet', 'there');
  return {
    vault: folderVault(path),
    janitor: folderJanitor(path),
    cleanup: () => rm(home, { recursive: true }),
  };
});
