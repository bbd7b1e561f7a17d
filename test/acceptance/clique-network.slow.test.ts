import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { folderVault } from '../../local/folder-vault.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { canonicalRecords, readHistory } from '../../vault/history.ts';
import { verify } from '../../vault/verify.ts';
import { backUpChain } from '../support/chain-backup.ts';
import { startClique } from '../support/clique.ts';
import { describeWithGeth, scratch, transact, untilBlock } from '../support/geth.ts';
import { newKeys } from '../support/toy-sets.ts';

/** What a chain that may still change its newest blocks is entitled to end a run with: the next run goes on. */
const PASSING = ['ReorganisedMeanwhile', 'ChainBroken', 'NodeUnavailable', 'NodeBehind'];

describeWithGeth('1.13.15', 'a real Clique network that works while it is backed up', (binary) => {
  test('every second or so: no gap, no overlap, each end agreed; a stopped signer is named, and its return heals', async () => {
    await using folder = await scratch();
    const vault = folderVault(join(folder.path, 'vault'));
    const keys = newKeys();
    const network = await startClique(binary, folder.path);
    const [node] = network.nodes;
    if (node === undefined) throw new Error('no signer');
    let slot = 0;
    const run = () =>
      backUpChain(network.nodes, {
        ...{ vault, keys, node: 'consortium', slot: `run-${++slot}` },
        ...{ compression: 'zstd', blocksPerFile: 5 },
      });
    const backUp = async () => {
      try {
        return (await run()).sealChain?.head;
      } catch (error) {
        if (error instanceof Error && PASSING.includes(error.name)) return undefined;
        throw error;
      }
    };
    try {
      await untilBlock(node, 3);
      const traffic = transact(node, 12);
      const heads: (number | undefined)[] = [];
      for (let n = 0; n < 6; n++) {
        heads.push(await backUp());
        await sleep(1200);
      }
      await traffic;
      const sealed = heads.filter((head) => head !== undefined);
      expect(sealed.length).toBeGreaterThanOrEqual(3);
      expect(sealed).toEqual(sealed.toSorted((a, b) => a - b));
      expect(new Set(sealed).size).toBeGreaterThan(1);

      await network.nodes[2]?.stop();
      await expect(run()).rejects.toMatchObject({
        ...{ name: 'ConsensusStalled', message: expect.stringContaining('signer-2') },
      });
      await network.restart(2);
      let healed: number | undefined;
      for (let n = 0; n < 30 && (healed ?? 0) <= (sealed.at(-1) ?? 0); n++) {
        await sleep(1000);
        healed = await run().then(
          ({ sealChain }) => sealChain?.head,
          // Behind for a while, or not yet of one mind with the others.
          () => undefined,
        );
      }
      expect(healed).toBeGreaterThan(sealed.at(-1) ?? 0);

      const report = await verify({ vault, publicKeys: [keys.publicKey], protocolNamed, depth: 'bytes' });
      expect(report.status).toBe('proven');
      const records = canonicalRecords(await readHistory(vault, 'consortium'));
      expect(records.reduce((sum, { transactions }) => sum + transactions, 0)).toBeGreaterThan(0);
      for (const { evidence } of records) {
        const agreeing = evidence.answers.filter(({ outcome }) => outcome === 'agrees');
        expect(agreeing.map(({ validator }) => validator)).toEqual(['signer-0', 'signer-1', 'signer-2']);
      }
    } finally {
      await network.stop();
    }
  }, 180_000);
});
