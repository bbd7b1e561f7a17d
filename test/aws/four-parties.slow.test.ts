import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Destination, MemberRefused } from '../../core/delivery.ts';
import type { Member } from '../../core/members.ts';
import { memberPrefix, NetworkName } from '../../core/names.ts';
import { sha256 } from '../../io/digest.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { checkMember } from '../../vault/check-members.ts';
import { deliver } from '../../vault/deliver.ts';
import { actOn, readMember, readMembers } from '../../vault/members.ts';
import { proveMember } from '../../vault/prove-member.ts';
import { verify } from '../../vault/verify.ts';
import { behavesLikeADestination } from '../conformance/behaves-like-a-destination.ts';
import { type FourParties, fourParties, MEMBERS, type MemberName, US } from '../support/four-parties.ts';
import { historyIn } from '../support/toy-history.ts';
import { newKeys } from '../support/toy-sets.ts';
import { findVersitygw } from '../support/versitygw.ts';

const binary = findVersitygw();
const NAMES = Object.keys(MEMBERS) as MemberName[];
const never = AbortSignal.any([]);
const prefixOf = (member: string) => memberPrefix('acme', member);
const denied = { $metadata: { httpStatusCode: 403 } };

/** Each call at once; none of them may be answered. */
async function allDenied(client: S3Client, calls: readonly ((client: S3Client) => Promise<unknown>)[]): Promise<void> {
  for (const call of calls) await expect(call(client)).rejects.toMatchObject(denied);
}

/** What is for members. */
const isShared = (key: string) => /^(chain\/|keys\/|format\.json)/.test(key);

async function heldBy(world: FourParties, member: MemberName): Promise<Map<string, Buffer>> {
  const share = world.share(member);
  const held = new Map<string, Buffer>();
  for await (const { key } of share.list('')) held.set(key, Buffer.concat(await Array.fromAsync(share.read(key))));
  return held;
}

if (binary === undefined) {
  describe.skip('four parties on versitygw (not in the cache nor on PATH: run scripts/install-versitygw.sh)', () => {
    test('each see what is theirs', () => {});
  });
} else {
  for (const copies of [false, true]) {
    behavesLikeADestination(
      `a bucket of another account on versitygw that ${copies ? 'copies from the vault' : 'is sent bodies'}`,
      async () => {
        const world = await fourParties(binary);
        const share = world.share('bank-a');
        const destination = knownToOverwrite(world.destination('bank-a', { copies }));
        return {
          destination,
          held: async (key) => {
            const bytes = await share.get(key, 20_000_000);
            return bytes && Buffer.from(bytes);
          },
          plant: async (key, bytes) => void (await share.putOnce(key, bytes)),
          provide: async (key, bytes) => void (await world.vault.putOnce(key, bytes)),
          cleanup: world.stop,
        };
      },
      { copies, overwritesUnseen: copies },
    );
  }

  // The members' policies are the product's, as far as this server knows their words: see `policyForVersitygw`.
  describe('four parties on versitygw', () => {
    let world: FourParties;
    let history: Awaited<ReturnType<typeof historyIn>>;
    const network = NetworkName.parse('acme');
    beforeAll(async () => {
      world = await fourParties(binary);
      const place = { vault: world.vault, keys: newKeys(), network, now: () => new Date('2026-11-01T00:00:00Z') };
      history = await historyIn(place, 10);
      await history.run('one');
    }, 120_000);
    afterAll(() => world.stop());

    test('a history is delivered to three members, by copies and by bodies, and each proves it with rights of its own', async () => {
      const { vault } = world;
      const registry = { vault, clock: { now: () => new Date() }, network, by: 'a test' };
      for (const member of NAMES) {
        const place = { bucket: member, region: 'us-east-1', account: MEMBERS[member] };
        await actOn(registry, member, { what: 'register', destination: { kind: 'bucket', ...place } });
        const at = new Date().toISOString() as Member['at'];
        await actOn(registry, member, { what: 'check', report: { at, faults: [] } });
        await actOn(registry, member, { what: 'set', environmentBackupTarget: true });
      }
      const destinationOf = ({ member }: Member) =>
        world.destination(member as unknown as MemberName, { copies: String(member) !== 'bank-c' });
      const members = (await readMembers(vault)).members.map(({ value }) => value);
      const ports = { ...registry, signer: history.keys.signer, destinationOf, signal: never };
      const ends = await deliver(ports, members);
      expect(ends.map(({ member, outcome }) => [member, outcome])).toEqual(NAMES.map((name) => [name, 'whole']));
      const shared = (await Array.fromAsync(vault.list(''))).map(({ key }) => key).filter(isShared);
      for (const member of NAMES) {
        const held = await heldBy(world, member);
        expect([...held.keys()].filter(isShared).sort()).toEqual(shared.sort());
        const report = await verify({
          ...{ vault: world.share(member), publicKeys: [history.keys.publicKey], protocolNamed, depth: 'bytes' },
        });
        expect([report.status, report.chains[0]?.head?.number]).toEqual(['proven', 9]);
      }
      expect((await deliver(ports, members)).map(({ objects }) => objects)).toEqual([0, 0, 0]);
    }, 120_000);

    test('our role can neither read, list nor delete at a member', async () => {
      for (const [Bucket, name] of NAMES.map((each) => [each, each] as const)) {
        const Key = `${prefixOf(name)}mine`;
        await world.members[name].client.send(new PutObjectCommand({ Bucket, Key, Body: 'mine' }));
        await allDenied(world.ours, [
          (to) => to.send(new GetObjectCommand({ Bucket, Key })),
          (to) => to.send(new HeadObjectCommand({ Bucket, Key })),
          (to) => to.send(new ListObjectsV2Command({ Bucket })),
          (to) => to.send(new ListObjectsV2Command({ Bucket, Prefix: prefixOf(name) })),
          (to) => to.send(new ListObjectVersionsCommand({ Bucket })),
          (to) => to.send(new DeleteObjectCommand({ Bucket, Key })),
          (to) => to.send(new PutBucketPolicyCommand({ Bucket, Policy: '{}' })),
        ]);
        // In bulk S3 answers for each object; refusing the whole is as good.
        const bulk = new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } });
        const answer = await world.ours.send(bulk).catch((error: unknown) => error);
        expect(answer).not.toMatchObject({ Deleted: [{ Key }] });
        expect(await world.share(name).get('mine')).toEqual(Buffer.from('mine'));
      }
    });

    test('our role can add nothing outside of its prefix', async () => {
      await allDenied(
        world.ours,
        [
          'x',
          'ledgerhold/acme/x',
          `${prefixOf('bank-b')}x`,
          'ledgerhold/acme/bank-a.outside/x',
          'ledgerhold/acme/bank-a',
        ].map((Key) => (to: S3Client) => to.send(new PutObjectCommand({ Bucket: 'bank-a', Key, Body: 'x' }))),
      );
    });

    test('a member can neither read another’s bucket nor our vault, nor add there', async () => {
      for (const [Bucket, prefix] of [...NAMES.map((name) => [name, prefixOf(name)]), ['vault', 'acme/']] as const) {
        for (const other of NAMES.filter((name) => name !== Bucket)) {
          await allDenied(world.members[other].client, [
            (to) => to.send(new ListObjectsV2Command({ Bucket })),
            (to) => to.send(new GetObjectCommand({ Bucket, Key: `${prefix}format.json` })),
            (to) => to.send(new PutObjectCommand({ Bucket, Key: `${prefix}x`, Body: 'x' })),
            (to) => to.send(new DeleteObjectCommand({ Bucket, Key: `${prefix}format.json` })),
          ]);
        }
      }
    });

    test('a bucket of another owner than was registered gets no byte', async () => {
      const bytes = Buffer.from('x');
      const item = { key: 'stray', size: 1, sha256: sha256(bytes), kind: 'file' as const };
      await world.vault.putOnce(item.key, bytes);
      for (const copies of [true, false]) {
        const stray = world.destination('bank-a', { copies }, { account: MEMBERS['bank-b'] });
        const put = stray.put(
          item,
          async function* () {
            yield bytes;
          },
          never,
        );
        const error = await put.catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(MemberRefused);
        expect((error as MemberRefused).fault.name).toBe('ACCESS_DENIED');
      }
      expect(await world.share('bank-a').get(item.key)).toBeUndefined();
    });

    test('a body of other bytes than were sealed is refused by the server itself, too', async () => {
      const [sealed, other] = [Buffer.from('sealed'), Buffer.from('forged')];
      const item = { key: 'forged', size: 6, sha256: sha256(sealed), kind: 'file' as const };
      const forged = async function* () {
        yield other;
      };
      // As on AWS, where no body is hashed here before it is sent.
      for (const otherServer of [true, false]) {
        const put = world.destination('bank-a', { copies: false, otherServer }).put(item, forged, never);
        await expect(put).rejects.toMatchObject({ name: 'HistoryDamaged' });
      }
      expect(await world.share('bank-a').get('forged')).toBeUndefined();
    });

    test('a member that grants reads is read back within a week; another byte, and an object that is gone, are found', async () => {
      const { vault } = world;
      const { client, account } = world.members['bank-c'];
      const bucket = 'bank-c-readable';
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      const [all, share] = [[`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`], `${prefixOf('bank-c')}`];
      const own = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:GetObject'];
      const Statement = [
        { Effect: 'Allow', Principal: { AWS: [account] }, Action: 's3:*', Resource: all },
        { Effect: 'Allow', Principal: { AWS: [US] }, Action: own, Resource: `arn:aws:s3:::${bucket}/${share}*` },
      ];
      await client.send(
        new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }),
      );
      let now = Date.parse('2026-11-02T12:00:00Z');
      const registry = { vault, clock: { now: () => new Date(now) }, network, by: 'a test' };
      const destination = knownToOverwrite(world.destination('bank-c', { copies: false }, { bucket }));
      const ports = { ...registry, signer: history.keys.signer, destinationOf: () => destination, signal: never };
      const place = { kind: 'bucket', bucket, region: 'us-east-1', account } as const;
      const readable = (await actOn(registry, 'readable', { what: 'register', destination: place })).value;
      expect((await checkMember(ports, readable)).check).toMatchObject({ faults: [], reads: true });
      const closed = world.destination('bank-b', { copies: false });
      expect(await closed.mayRead?.(never)).toBe(false);
      const target = (await actOn(registry, 'readable', { what: 'set', environmentBackupTarget: true })).value;
      const [delivered] = await deliver(ports, [target]);
      const week = async () => {
        const ends = [];
        for (let day = 0; day < 7; day++, now += 86_400_000) {
          const member = (await readMember(vault, 'readable'))?.value ?? target;
          ends.push(await proveMember(ports, member, { bytes: 1e9 }));
        }
        return ends;
      };
      const ends = await week();
      expect(ends.reduce((sum, { objects }) => sum + objects, 0)).toBe(delivered?.objects);
      expect(ends.some(({ fault }) => fault !== undefined)).toBe(false);
      const [, file] = ((await client.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? [])
        .map(({ Key = '' }) => Key)
        .filter((key) => /\.rlp/.test(key));
      const at = { Bucket: bucket, Key: file ?? '' };
      const bytes = await (await client.send(new GetObjectCommand(at))).Body?.transformToByteArray();
      await client.send(new PutObjectCommand({ ...at, Body: Buffer.from(bytes ?? []).fill(0, 0, 1) }));
      expect((await week()).flatMap(({ fault }) => fault?.name ?? [])).toEqual(['TAMPERED']);
      await client.send(new DeleteObjectCommand(at));
      await checkMember(ports, (await readMember(vault, 'readable'))?.value ?? target);
      await actOn(registry, 'readable', { what: 'resume' });
      expect((await week()).flatMap(({ fault }) => fault?.name ?? [])).toEqual(['MISSING_AT_MEMBER']);
    }, 120_000);

    // That the policy keeps us from overwriting is not shown here: no server that can be had knows `s3:if-none-match`,
    // nor the condition of a copy. The fake over HTTP and the simulation of IAM show it.
    test('a check sees that this server does not know the condition by which overwriting is refused', async () => {
      const faults = await world.destination('bank-b', { copies: false }).check();
      expect(faults.map(({ name }) => name)).toEqual(['OVERWRITABLE']);
    });

    test('a check names a bucket that lets us delete, and one that lets us add anywhere', async () => {
      const { client, account } = world.members['bank-c'];
      const bucket = 'bank-c-open';
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
      const Statement = [{ Effect: 'Allow', Principal: { AWS: [account, US] }, Action: 's3:*', Resource }];
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
      await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
      const faults = await world.destination('bank-c', { copies: false }, { bucket }).check();
      expect(faults.map(({ name }) => name)).toEqual(['OVERWRITABLE', 'DELETABLE', 'WIDE_OPEN']);
    });
  });
}

/** Here every bucket is OVERWRITABLE, which is no fault of the destination. */
function knownToOverwrite(destination: Destination): Destination {
  const check = async () => (await destination.check()).filter(({ name }) => name !== 'OVERWRITABLE');
  return { ...destination, check };
}
