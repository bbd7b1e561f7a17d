import { expect, test } from '@jest/globals';
import { protocolNamed } from '../../protocols/registry.ts';
import { copyVault } from '../../vault/copy-vault.ts';
import { verify } from '../../vault/verify.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { type HistoryWorld, historyWorld } from '../support/toy-history.ts';
import { branch, grown } from '../support/toy-network.ts';

const proven = async (vault: MemoryVault, { keys }: HistoryWorld) => {
  const { status, chains } = await verify({ vault, publicKeys: [keys.publicKey], protocolNamed, depth: 'bytes' });
  return { status, head: chains[0]?.head?.number };
};

test('a history is copied so that at every moment what the copy holds is proven', async () => {
  const world = await historyWorld(10);
  await world.run('one');
  const second = new MemoryVault();
  await copyVault(world.vault, second);
  expect(await proven(second, world)).toEqual({ status: 'proven', head: 9 });
  world.node.chain = await grown(world.node.chain, 10, branch(5, 1));
  await world.run('two');
  // Broken off after each object: the older history is whole, and then the newer one.
  for (let heads = new Set<number | undefined>(); !heads.has(14); ) {
    const end = new AbortController();
    await copyVault(world.vault, second, { signal: end.signal, onObject: () => end.abort(new Error('enough')) }).catch(
      (error: Error) => expect(error.message).toBe('enough'),
    );
    const { status, head } = await proven(second, world);
    expect(status).not.toBe('violated');
    heads = heads.add(head);
  }
});

test('a manifest that was sealed while the listing ran is left to the next copy', async () => {
  const world = await historyWorld(10);
  await world.run('one');
  const second = new MemoryVault();
  let sealed = false;
  const from = Object.create(world.vault) as MemoryVault;
  from.list = async function* (prefix: string, after?: string) {
    for await (const object of world.vault.list(prefix, after)) {
      yield object;
      if (prefix !== '' || sealed || !object.key.includes('.rlp')) continue;
      sealed = true;
      world.node.chain = await grown(world.node.chain, 10, branch(5, 1));
      await world.run('0-before-all-others');
    }
  };
  await copyVault(from, second);
  expect(await proven(second, world)).toEqual({ status: 'proven', head: 9 });
  await copyVault(world.vault, second);
  expect(await proven(second, world)).toEqual({ status: 'proven', head: 14 });
});
