import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { FileCompression } from '../../../core/chain.ts';
import type { PlannedChainFile } from '../../../core/chain-restore-plan.ts';
import { Sha256 } from '../../../core/names.ts';
import { CLIENT_COMMANDS } from '../../../protocols/ethereum/client-commands.ts';
import type { Client } from '../../../protocols/ethereum/clients.ts';
import { lastBlock } from '../../../protocols/ethereum/last-block.ts';
import { importBatches, manualSteps } from '../../../protocols/ethereum/restore.ts';
import { restoreGenesis } from '../../../protocols/ethereum/restore-genesis.ts';
import { describeWithRecordings, recorded } from '../../support/chain-fixtures.ts';

const digest = Sha256.parse('ab'.repeat(32));

const planned = (start: number, end: number, compression: FileCompression, blockBytes = 10): PlannedChainFile => {
  const name = `one-block-${start}-${end}.rlp${{ none: '', gzip: '.gz', zstd: '.zst' }[compression]}`;
  return { key: `chain/c/${name}`, start, end, file: { name, size: 5, sha256: digest, compression, blockBytes } };
};

const steps = (client: Client, files: readonly PlannedChainFile[], vault = '/vault') =>
  manualSteps({
    ...{ client, files, work: '/scratch', placeOf: (key) => `${vault}/${key}` },
    places: { binary: client === 'besu' ? 'besu' : 'geth', datadir: '/my data', genesis: 'genesis.json', args: [] },
  }).map(({ run }) => run);

const checked = (name: string) => `echo '${digest}  ${name}' | sha256sum --check --strict -`;

describe('the commands of a restore by hand', () => {
  test('geth reads what is plain or gzip as it lies, one file at a time, after init', () => {
    expect(steps('geth', [planned(0, 9, 'none'), planned(10, 19, 'gzip')])).toEqual([
      "geth --datadir '/my data' init genesis.json",
      checked('/vault/chain/c/one-block-0-9.rlp'),
      "geth --datadir '/my data' import /vault/chain/c/one-block-0-9.rlp",
      checked('/vault/chain/c/one-block-10-19.rlp.gz'),
      "geth --datadir '/my data' import /vault/chain/c/one-block-10-19.rlp.gz",
    ]);
  });

  test('what a client cannot read is decompressed first, and removed before the next', () => {
    expect(steps('geth', [planned(0, 9, 'zstd')])).toEqual([
      "geth --datadir '/my data' init genesis.json",
      'mkdir -p /scratch',
      checked('/vault/chain/c/one-block-0-9.rlp.zst'),
      'zstd -dc --long=31 /vault/chain/c/one-block-0-9.rlp.zst > /scratch/blocks.rlp',
      "geth --datadir '/my data' import /scratch/blocks.rlp",
      'rm /scratch/blocks.rlp',
    ]);
  });

  test('Besu has no init, names its genesis each time, and gets gzip decompressed', () => {
    expect(steps('besu', [planned(0, 9, 'gzip')])).toEqual([
      'mkdir -p /scratch',
      checked('/vault/chain/c/one-block-0-9.rlp.gz'),
      'gzip -dc /vault/chain/c/one-block-0-9.rlp.gz > /scratch/blocks.rlp',
      "besu '--data-path=/my data' --genesis-file=genesis.json blocks import --format=RLP --from=/scratch/blocks.rlp",
      'rm /scratch/blocks.rlp',
    ]);
  });

  test('GoQuorum is told of Tessera by PRIVATE_CONFIG, or that there is none', () => {
    expect(steps('quorum', [planned(0, 9, 'none')]).filter((line) => line.includes('geth'))).toEqual([
      `PRIVATE_CONFIG="\${PRIVATE_CONFIG:-ignore}" geth --datadir '/my data' init genesis.json`,
      `PRIVATE_CONFIG="\${PRIVATE_CONFIG:-ignore}" geth --datadir '/my data' import /vault/chain/c/one-block-0-9.rlp`,
    ]);
    expect(CLIENT_COMMANDS.quorum.notInFiles.join()).toMatch(/Tessera.*raft-wal/s);
  });

  test('a file in a bucket is fetched, checked where it then lies, and removed', () => {
    expect(steps('geth', [planned(0, 9, 'none')], 's3://bucket/prefix').slice(2)).toEqual([
      'aws s3 cp s3://bucket/prefix/chain/c/one-block-0-9.rlp /scratch/one-block-0-9.rlp',
      checked('/scratch/one-block-0-9.rlp'),
      "geth --datadir '/my data' import /scratch/one-block-0-9.rlp",
      'rm /scratch/one-block-0-9.rlp',
    ]);
  });
});

test('files are joined in order up to a size, and one that is larger goes alone', () => {
  const files = [4, 5, 20, 3, 3].map((bytes, n) => planned(n, n, 'none', bytes));
  const batches = importBatches(files, 10);
  expect(batches.map(({ files: joined }) => joined.map(({ start }) => start))).toEqual([[0, 1], [2], [3, 4]]);
  expect(batches.map(({ blockBytes }) => blockBytes)).toEqual([9, 20, 6]);
});

describe('the genesis to import with', () => {
  const config = { chainId: 1, istanbulBlock: 0, isQuorum: true };

  test('has the period of legacy IBFT where GoQuorum reads it, and is the same otherwise', () => {
    const genesis = { nonce: '0x0', extraData: '0x00', config: { ...config, istanbul: { epoch: 50, policy: 1 } } };
    expect(restoreGenesis(genesis, 2)).toEqual({
      changed: true,
      genesis: { ...genesis, config: { ...config, ibft: { epochlength: 50, blockperiodseconds: 2, policy: 1 } } },
    });
  });

  test.each([
    ['QBFT', { config: { ...config, qbft: { epochlength: 50 } } }],
    ['Clique', { config: { chainId: 1, clique: { period: 1 } } }],
    ['what has a period already', { config: { ...config, istanbul: { epoch: 1 }, ibft: { blockperiodseconds: 2 } } }],
    ['what is no genesis', ['nothing']],
  ])('%s comes back as it was', (_name, genesis) => {
    expect(restoreGenesis(genesis)).toEqual({ genesis, changed: false });
  });
});

describeWithRecordings('the recorded legacy IBFT network', () => {
  const json = (name: string) => JSON.parse(readFileSync(recorded(`private-chains/ibft/${name}`), 'utf8'));

  test('gets the genesis that it was really restored with, but for what has the same meaning left out', () => {
    const { genesis, changed } = restoreGenesis(json('genesis.json'));
    const {
      requesttimeoutseconds: _,
      validatorcontractaddress: __,
      ...ibft
    } = json('genesis-restore.json').config.ibft;
    expect(changed).toBe(true);
    expect(genesis).toEqual({ ...json('genesis.json'), config: expect.objectContaining({ ibft }) });
    expect(genesis).not.toHaveProperty('config.istanbul');
  });

  test('ends with a state root that is read from the last block alone', () => {
    const bytes = readFileSync(recorded('private-chains/ibft/chain-node0.rlp'));
    const last = lastBlock();
    expect(last.stateRoot()).toBeUndefined();
    for (let at = 0; at < bytes.length; at += 1000) last.push(bytes.subarray(at, at + 1000));
    const again = lastBlock();
    again.push(bytes);
    expect(last.stateRoot()).toMatch(/^0x[0-9a-f]{64}$/);
    expect(again.stateRoot()).toBe(last.stateRoot());
    // The 4th of its fields: after two others of 32 bytes and one of 20, each with its head.
    const header = bytes.lastIndexOf(Buffer.from(last.stateRoot()?.slice(2) ?? '', 'hex'));
    expect(header).toBeGreaterThan(bytes.length - 2000);
  });
});
