import { behavesLikeAVault } from '../conformance/behaves-like-a-vault.ts';
import { MemoryVault } from './memory-vault.ts';

behavesLikeAVault('a vault in memory', async () => {
  const vault = new MemoryVault();
  return { vault, janitor: vault, cleanup: async () => {} };
});
