import { execFile } from 'node:child_process';
import { verify } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { canonicalBytes } from '../../core/canonical.ts';
import { Instant } from '../../core/names.ts';
import { sha256 } from '../../io/digest.ts';
import { folderVault } from '../../local/folder-vault.ts';
import { keyFileSigner } from '../../local/key-file-signer.ts';
import { readMember } from '../../vault/members.ts';
import { appendReadBack, readBacksOf } from '../../vault/read-backs.ts';
import { startFaultyS3 } from '../fakes/faulty-s3.ts';
import { type ChainCli, chainCli } from '../support/chain-cli.ts';
import { runCli } from '../support/cli.ts';
import { PROGRAM } from '../support/cli-world.ts';
import { addOnly } from '../support/member-buckets.ts';

jest.setTimeout(60_000);

let world: ChainCli;
let now: Date;
const cli: ChainCli['cli'] = (...args) => world.cli(...args);
const shareOf = (member: string) => join(world.cwd, member, 'ledgerhold/acme', member);
const verified = (member: string) =>
  cli('verify', '--all', '--vault', shareOf(member), '--public-key', 'public-key.pem');

const BUCKET = ['--bucket', 'b-u-c', '--region', 'eu-central-1', '--account', '333333333333'] as const;

beforeEach(async () => {
  now = new Date('2026-11-01T00:00:00Z');
  world = await chainCli(24, () => now);
  for (const member of ['bank-a', 'bank-b']) await mkdir(join(world.cwd, member));
  await cli('backup');
});
afterEach(async () => world[Symbol.asyncDispose]());

describe('members of a network on one machine', () => {
  test('are registered, filled, and hold a vault of their own that verifies with the public key alone', async () => {
    const added = await cli('members', 'add', 'bank-a', '--folder', 'bank-a');
    expect(added.json()).toMatchObject({ ok: true, code: 'CHECKED', environmentBackupTarget: false });
    expect((await cli('deliver')).json()).toMatchObject({ code: 'NOBODY_TO_DELIVER_TO' });
    expect((await cli('members', 'resume', 'bank-a')).json()).toMatchObject({ code: 'ACTIVE' });
    expect((await cli('deliver')).json()).toMatchObject({
      ...{ ok: true, code: 'DELIVERED' },
      members: [{ member: 'bank-a', outcome: 'whole', totals: { files: 3, unproven: 0 } }],
    });
    expect((await verified('bank-a')).json()).toMatchObject({ ok: true, code: 'PROVEN' });
  });

  test('registered as they are already are checked, and go on as targets', async () => {
    await cli('members', 'add', 'bank-a', '--folder', 'bank-a', '--deliver');
    await cli('deliver');
    const again = await cli('members', 'add', 'bank-a', '--folder', 'bank-a');
    expect(again.json()).toMatchObject({ ok: true, code: 'ACTIVE', environmentBackupTarget: true });
    expect((await cli('deliver')).json()).toMatchObject({
      code: 'DELIVERED',
      members: [{ outcome: 'whole', objects: 0 }],
    });
  });

  test('registered `--again` are given all that is missing, and what is there stays as it is', async () => {
    await cli('members', 'add', 'bank-a', '--folder', 'bank-a', '--deliver');
    await cli('deliver');
    const files = join(shareOf('bank-a'), 'chain/consortium');
    const [name = ''] = (await readdir(files)).filter((each) => /rlp/.test(each));
    await rm(join(files, name));
    const add = ['members', 'add', 'bank-a', '--folder', 'bank-a', '--deliver'];
    await cli(...add);
    await cli('deliver');
    expect((await verified('bank-a')).exit).toBe(1);
    expect((await cli(...add, '--again')).json()).toMatchObject({ code: 'ACTIVE' });
    expect((await cli('deliver')).json()).toMatchObject({ members: [{ outcome: 'whole', totals: { files: 3 } }] });
    expect((await verified('bank-a')).json()).toMatchObject({ code: 'PROVEN' });
  });

  test('may stand in the configuration, and are told while they are not registered', async () => {
    await world.configure('members: [ { id: bank-a, folder: ./bank-a } ]\n');
    expect((await cli('members', 'list')).json()).toMatchObject({ code: 'NO_MEMBERS', unregistered: ['bank-a'] });
    expect((await cli('members', 'add', 'bank-a', '--deliver')).json()).toMatchObject({ code: 'ACTIVE' });
    await cli('deliver');
    expect((await cli('members', 'list')).json()).toMatchObject({
      members: [{ member: 'bank-a', progress: 1, chains: [{ block: 23, head: 23, blocks: 0, behindSince: null }] }],
    });
  });

  test('that are removed keep what they have, and get nothing further', async () => {
    await cli('members', 'add', 'bank-a', '--folder', 'bank-a', '--deliver');
    await cli('deliver');
    const before = await readdir(join(shareOf('bank-a'), 'chain/consortium'));
    expect((await cli('members', 'remove', 'bank-a')).json()).toMatchObject({ ok: true, code: 'LEFT' });
    expect((await cli('deliver')).json()).toMatchObject({ members: [{ outcome: 'off', objects: 0 }] });
    expect(await readdir(join(shareOf('bank-a'), 'chain/consortium'))).toEqual(before);
    expect((await cli('members', 'resume', 'bank-a')).json()).toMatchObject({ error: { name: 'MemberActRefused' } });
  });

  test('whose disk is not mounted are refused by name, and nothing is put where it should be', async () => {
    await cli('members', 'add', 'bank-a', '--folder', 'bank-a', '--deliver');
    await rename(join(world.cwd, 'bank-a'), join(world.cwd, 'away'));
    await mkdir(join(world.cwd, 'bank-a'));
    const refused = await cli('deliver');
    expect(refused.json()).toMatchObject({
      code: 'MEMBER_SUSPENDED',
      members: [{ outcome: 'suspended', fault: { name: 'ANOTHER_FOLDER' } }],
    });
    expect(refused.exit).toBe(5);
    expect(await readdir(join(world.cwd, 'bank-a'))).toEqual([]);
    await rm(join(world.cwd, 'bank-a'), { recursive: true });
    await rename(join(world.cwd, 'away'), join(world.cwd, 'bank-a'));
    expect((await cli('members', 'resume', 'bank-a')).json()).toMatchObject({ code: 'ACTIVE' });
    expect((await cli('deliver')).json()).toMatchObject({ code: 'DELIVERED' });
  });

  test('whose folder was emptied are not made whole by a look at it: the canary is left once', async () => {
    await cli('members', 'add', 'bank-a', '--folder', 'bank-a', '--deliver');
    await cli('deliver');
    await rm(join(world.cwd, 'bank-a'), { recursive: true });
    await mkdir(join(world.cwd, 'bank-a'));
    for (const act of ['check', 'resume']) {
      const checked = await cli('members', act, 'bank-a');
      expect(checked.exit).toBe(1);
      expect(JSON.stringify(checked.json())).toContain('ANOTHER_FOLDER');
    }
    expect(await readdir(join(world.cwd, 'bank-a'))).toEqual([]);
    // Registered again, it is another folder, and is given everything.
    expect((await cli('members', 'add', 'bank-a', '--folder', 'bank-a', '--deliver')).json()).toMatchObject({
      code: 'ACTIVE',
    });
    expect((await cli('deliver')).json()).toMatchObject({ code: 'DELIVERED' });
    expect((await verified('bank-a')).json()).toMatchObject({ code: 'PROVEN' });
  });

  test('a file that a member has changed is TAMPERED at the next fill, and stays as it is', async () => {
    await cli('members', 'add', 'bank-a', '--folder', 'bank-a', '--deliver');
    await cli('members', 'add', 'bank-b', '--folder', 'bank-b', '--deliver');
    await cli('deliver');
    const [name = ''] = await readdir(join(shareOf('bank-a'), 'chain/consortium'));
    const file = join(shareOf('bank-a'), 'chain/consortium', name);
    await rm(file, { recursive: true });
    await writeFile(file, 'other bytes');
    await cli('members', 'remove', 'bank-a');
    await cli('members', 'add', 'bank-a', '--folder', 'bank-a', '--deliver');
    const found = await cli('deliver');
    expect(found.json()).toMatchObject({ code: 'TAMPERED' });
    expect(found.exit).toBe(1);
    expect(await readFile(file, 'utf8')).toBe('other bytes');
    expect((await verified('bank-b')).json()).toMatchObject({ code: 'PROVEN' });
  });

  test('what lies at a member is read back within a week of `serve`, and a file that was changed suspends it', async () => {
    for (const member of ['bank-a', 'bank-b']) await cli('members', 'add', member, '--folder', member, '--deliver');
    await cli('deliver');
    const [name = ''] = (await readdir(join(shareOf('bank-a'), 'chain/consortium'))).filter((each) => /rlp/.test(each));
    const file = join(shareOf('bank-a'), 'chain/consortium', name);
    await rm(file);
    await writeFile(file, 'other bytes');
    for (let day = 1; day <= 7; day++) {
      now = new Date(Date.UTC(2026, 10, day, 12));
      expect((await cli('serve', '--once')).exit).toBe(0);
    }
    const { members } = (await cli('members', 'list')).json() as { members: object[] };
    expect(members).toMatchObject([
      { member: 'bank-a', state: 'suspended', fault: { name: 'TAMPERED' }, readBack: { whole: false } },
      { member: 'bank-b', state: 'active', fault: null, readBack: { whole: true, fault: null } },
    ]);
    expect(await readFile(file, 'utf8')).toBe('other bytes');
  });

  test('are told by status: state, lag in blocks and time, fault with its remedy, when it is tried again', async () => {
    for (const member of ['bank-a', 'bank-b']) await cli('members', 'add', member, '--folder', member, '--deliver');
    now = new Date('2026-11-01T02:00:00Z');
    const before = (await runCli(['status'], { cwd: world.cwd, now: () => now })).stdout;
    expect(before).toMatch(
      /bank-a {2}active\n +delivered +nothing yet\n +lag consortium +24 blocks, since 2 h ago\n +progress +0 %/,
    );
    await rename(join(world.cwd, 'bank-a'), join(world.cwd, 'away'));
    await mkdir(join(world.cwd, 'bank-a'));
    await cli('deliver');
    const status = await cli('status');
    expect(status.json()).toMatchObject({
      members: [
        {
          member: 'bank-a',
          state: 'suspended',
          fault: { name: 'ANOTHER_FOLDER' },
          chains: [{ blocks: 24 }],
          progress: 0,
        },
        { member: 'bank-b', state: 'active', fault: null, chains: [{ blocks: 0, behindSince: null }], progress: 1 },
      ],
    });
    expect((status.json() as { members: object[] }).members).toEqual(
      ((await cli('members', 'list')).json() as { members: object[] }).members,
    );
    const after = (await runCli(['status'], { cwd: world.cwd, now: () => now })).stdout;
    expect(after).toMatch(/bank-a {2}suspended\n +ANOTHER_FOLDER .*\n +Mount the disk/);
    expect(after).toMatch(/bank-b {2}active\n +delivered +3 files, \d+ objects, /);
  });

  test('of which one is not as it was written are DAMAGED in status, and named', async () => {
    await cli('members', 'add', 'bank-a', '--folder', 'bank-a');
    await writeFile(join(world.cwd, 'vault/members/bank-a/00000002.json'), '{}');
    expect((await cli('status')).json()).toMatchObject({
      ...{ code: 'DAMAGED', members: [{ member: 'bank-a', state: 'unreadable' }] },
    });
  });

  test('are given their receipts, each with a signature that verifies with the public key alone', async () => {
    await cli('members', 'add', 'bank-a', '--folder', 'bank-a', '--deliver');
    expect((await cli('members', 'receipts', 'bank-a')).json()).toMatchObject({ code: 'NO_RECEIPTS', receipts: [] });
    await cli('deliver');
    const told = (await cli('members', 'receipts', 'bank-a', '--out', 'given')).json() as unknown as {
      code: string;
      receipts: {
        key: string;
        sha256: string;
        document: { delivered: { key: string; sha256: string }[] };
        signature: string;
      }[];
    };
    expect(told.code).toBe('RECEIPTS');
    const publicKey = await readFile(join(world.cwd, 'public-key.pem'), 'utf8');
    for (const { key, sha256: digest, document, signature } of told.receipts) {
      const bytes = Buffer.from(canonicalBytes(document));
      expect([sha256(bytes), verify('sha256', bytes, publicKey, Buffer.from(signature, 'base64'))]).toEqual([
        digest,
        true,
      ]);
      const name = basename(key, '.json');
      expect(await readFile(join(world.cwd, 'given', `${name}.json`))).toEqual(bytes);
      const beside = await readFile(join(world.cwd, 'given', `${name}-${digest}.sig`));
      expect(verify('sha256', bytes, publicKey, beside)).toBe(true);
      for (const item of document.delivered) {
        expect(sha256(await readFile(join(shareOf('bank-a'), item.key)))).toBe(item.sha256);
      }
    }
    expect(told.receipts.flatMap(({ document }) => document.delivered).length).toBeGreaterThan(5);
    expect((await cli('members', 'receipts', 'bank-a', '--out', 'given')).exit).toBe(0);
    await writeFile(join(world.cwd, 'given/00000001.json'), 'another');
    expect((await cli('members', 'receipts', 'bank-a', '--out', 'given')).json()).toMatchObject({
      error: { name: 'FileExists' },
    });
    expect((await cli('members', 'receipts', 'bank-x')).json()).toMatchObject({ error: { name: 'UsageError' } });
  });

  test('are given the proofs of what was read back, beside their receipts and signed like these', async () => {
    await cli('members', 'add', 'bank-a', '--folder', 'bank-a', '--deliver');
    await cli('deliver');
    const vault = folderVault(join(world.cwd, 'vault'));
    const member = (await readMember(vault, 'bank-a'))?.value;
    if (member === undefined) throw new Error('it is registered');
    const signer = await keyFileSigner(join(world.cwd, 'signing-key.pem'));
    const fault = { name: 'TAMPERED', key: 'format.json' };
    await appendReadBack({ vault, clock: { now: () => now }, signer }, member, await readBacksOf(vault, member), {
      ...{ destination: 'a', at: Instant.parse(now.toISOString()), day: 20_758, receipts: 1, whole: false, after: '' },
      ...{ objects: 0, bytes: 0, unread: 0, newlyProven: 0, fault },
    });
    const told = (await cli('members', 'receipts', 'bank-a', '--out', 'given')).json();
    expect(told).toMatchObject({ proofs: [{ key: 'proofs/bank-a/00000001.json', document: { fault } }] });
    const digest = (told['proofs'] as { sha256: string }[])[0]?.sha256 ?? '';
    const bytes = await readFile(join(world.cwd, 'given/proofs/00000001.json'));
    const publicKey = await readFile(join(world.cwd, 'public-key.pem'), 'utf8');
    const signature = await readFile(join(world.cwd, `given/proofs/00000001-${digest}.sig`));
    expect([sha256(bytes), verify('sha256', bytes, publicKey, signature)]).toEqual([digest, true]);
    expect(await readFile(join(world.cwd, 'given/00000001.json'))).not.toEqual(bytes);
  });

  test.each([
    [['members', 'add', 'Bank A', '--folder', 'bank-a'], 'UsageError', 2],
    [['members', 'add', 'bank-a'], 'UsageError', 2],
    [['members', 'add', 'bank-a', '--bucket', 'b-u-c', '--region', 'eu-central-1'], 'UsageError', 2],
    [['members', 'add', 'bank-a', '--folder', ''], 'UsageError', 2],
    [['members', 'add', 'bank-a', '--folder', 'vault/chain'], 'UsageError', 2],
    [['members', 'add', 'bank-a', '--folder', '.'], 'UsageError', 2],
    [['members', 'add', 'bank-a', '--folder', 'bank-a', ...BUCKET], 'UsageError', 2],
    [['members', 'add', 'bank-a', ...BUCKET, '--endpoint', ''], 'UsageError', 2],
    [['members', 'add', 'bank-a', ...BUCKET, '--endpoint', 'ftp://127.0.0.1'], 'UsageError', 2],
    [['members', 'add', 'bank-a', ...BUCKET, '--endpoint', 'http://ann:pass@127.0.0.1'], 'UsageError', 2],
    [['members', 'add', 'bank-a', ...BUCKET, '--endpoint', 'http://127.0.0.1/path'], 'UsageError', 2],
    [['members', 'add', 'bank-a', ...BUCKET, '--region', 'nowhere'], 'UsageError', 2],
    [['members', 'check', 'bank-x'], 'UsageError', 2],
    [['members', 'suspend', '../bank-a'], 'UsageError', 2],
    [['deliver', '--member', 'bank-x'], 'UsageError', 2],
  ] as const)('%j is refused, and nothing is written', async (args, name, exit) => {
    const refused = await cli(...args);
    expect(refused.json()).toMatchObject({ ok: false, error: { name } });
    expect(refused.exit).toBe(exit);
    expect(await readdir(join(world.cwd, 'vault'))).not.toContain('members');
  });

  test('a folder that another member has, also by a link, is refused, and is free once that one has left', async () => {
    await cli('members', 'add', 'bank-b', '--folder', 'bank-b');
    await symlink(join(world.cwd, 'bank-b'), join(world.cwd, 'link'));
    for (const folder of ['bank-b', 'link']) {
      expect((await cli('members', 'add', 'bank-a', '--folder', folder)).json()).toMatchObject({
        error: { name: 'UsageError', message: expect.stringContaining('the folder of bank-b') },
      });
    }
    await cli('members', 'remove', 'bank-b');
    expect((await cli('members', 'add', 'bank-a', '--folder', 'bank-b')).exit).toBe(0);
  });

  /** The program itself: the SDK takes a line's errors for none of its own where they are of another realm than a test's. */
  const built = async (...args: string[]) => {
    const ended = await promisify(execFile)(process.execPath, [PROGRAM, ...args, '--json'], {
      ...{ cwd: world.cwd, env: process.env },
    }).catch((error: { code: number; stdout: string }) => error);
    const last = ended.stdout.trimEnd().split('\n').at(-1) ?? '';
    return { exit: 'code' in ended ? ended.code : 0, json: JSON.parse(last) as object };
  };

  test('a bucket that was emptied is found by its next check, and filled once it is registered again', async () => {
    const before = { ...process.env };
    const s3 = await startFaultyS3();
    s3.memory.allows = addOnly;
    s3.memory.owners.set('b-u-c', '333333333333');
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' });
    const add = ['members', 'add', 'bank-a', ...BUCKET, '--endpoint', s3.endpoint, '--deliver'];
    const held = () => [...s3.memory.objects.keys()].filter((key) => !key.includes('canary'));
    try {
      expect((await built(...add)).json).toMatchObject({ code: 'ACTIVE' });
      await built('deliver');
      const all = held();
      expect(all.length).toBeGreaterThan(5);
      s3.memory.objects.clear();
      for (const act of ['check', 'resume', 'resume']) {
        expect(JSON.stringify((await built('members', act, 'bank-a')).json)).toContain('EMPTIED');
      }
      expect((await built('deliver')).json).toMatchObject({ code: 'MEMBER_SUSPENDED' });
      expect(held()).toEqual([]);
      expect((await built(...add)).json).toMatchObject({ code: 'ACTIVE' });
      expect((await built('deliver')).json).toMatchObject({ code: 'DELIVERED' });
      expect(held().sort()).toEqual(all.sort());
    } finally {
      process.env = before;
      await s3.stop();
    }
  });

  test('one that is not reached is told, and the others are checked all the same', async () => {
    const before = { ...process.env };
    const busy = createServer((_, answer) => answer.writeHead(503).end()).listen(0, '127.0.0.1');
    await once(busy, 'listening');
    const { port } = busy.address() as AddressInfo;
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' });
    try {
      const added = await built('members', 'add', 'bank-a', ...BUCKET, '--endpoint', `http://127.0.0.1:${port}`);
      expect(added.exit).toBe(4);
      await cli('members', 'add', 'bank-b', '--folder', 'bank-b');
      const found = await built('members', 'check');
      expect(found.json).toMatchObject({
        ...{ ok: false, code: 'NOT_CHECKED', members: [{ member: 'bank-b', state: 'checked' }] },
        unchecked: [{ member: 'bank-a', error: { name: 'MemberUnavailable' } }],
      });
      expect(found.exit).toBe(4);
      await world.configure(
        "members: [ { id: bank-a, account: '444444444444', bucket: b-u-c, region: eu-central-1 } ]\n",
      );
      expect((await cli('members', 'check', 'bank-a')).json()).toMatchObject({
        ...{ code: 'CHECK_FAILED', members: [{ check: { faults: [{ name: 'ANOTHER_OWNER' }] } }] },
      });
    } finally {
      process.env = before;
      busy.close();
    }
  });

  test('a folder that is missing fails its check, and gets nothing until it is there', async () => {
    const added = await cli('members', 'add', 'bank-a', '--folder', 'nowhere', '--deliver');
    expect(added.json()).toMatchObject({ code: 'CHECK_FAILED', check: { faults: [{ name: 'NO_SUCH_FOLDER' }] } });
    expect(added.exit).toBe(1);
    expect((await cli('deliver')).json()).toMatchObject({ members: [{ outcome: 'off' }] });
    await mkdir(join(world.cwd, 'nowhere'));
    expect((await cli('members', 'check', 'bank-a')).json()).toMatchObject({ code: 'CHECKED' });
  });

  test('registering again and again ends with a refusal, and can be done the next day', async () => {
    for (let n = 0; n < 10; n++) await cli('members', 'add', 'bank-a', '--folder', n % 2 === 0 ? 'bank-b' : 'bank-c');
    const refused = await cli('members', 'add', 'bank-a', '--folder', 'bank-a');
    expect(refused.json()).toMatchObject({ error: { name: 'TooManyActs' } });
    now = new Date('2026-11-02T00:00:01Z');
    expect((await cli('members', 'add', 'bank-a', '--folder', 'bank-a')).exit).toBe(0);
  });
});
