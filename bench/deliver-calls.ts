import { setTimeout as sleep } from 'node:timers/promises';
import { memberClient, s3Client } from '../aws/s3-client.ts';
import { s3Destination } from '../aws/s3-destination.ts';
import { s3Vault } from '../aws/s3-vault.ts';
import { type Member, MemberId } from '../core/members.ts';
import { Instant, memberPrefix, NetworkName } from '../core/names.ts';
import { startFaultyS3 } from '../test/fakes/faulty-s3.ts';
import { OWNER } from '../test/fakes/s3-memory.ts';
import { ToyHistory, unprovenSigner } from '../test/support/toy-deliveries.ts';
import { deliver } from '../vault/deliver.ts';
import { actOn, readMembers } from '../vault/members.ts';
import type { BenchResult } from './result.ts';

const NETWORK = NetworkName.parse('acme');
/** Twice as many files, and then twice as many members: calls are to be twice as many, too. */
const CASES = [1, 100].flatMap((filesAManifest) =>
  [
    { files: 100, members: 1 },
    { files: 200, members: 1 },
    { files: 100, members: 2 },
  ].map((each) => ({ filesAManifest, ...each })),
);
const AT_MOST = 3;

/** What `lambdas/deliver-member/run.ts` lets be under way at once. */
const AT_ONCE = 32;
/** Of the goal: a new member's files, of 60 MB each. */
const BACKFILL = 10_000;
/** Assumptions, in seconds: what S3 takes to copy 60 MB inside itself, and to answer any other call. */
const COPY = 0.5;
const CALL = 0.05;
/** S3's documented rates for a prefix, a second. */
const RATES = { writes: 3_500, reads: 5_500 } as const;
const WRITES = /^(Put|Copy|Create|Upload|Complete|List)/;

/**
 * The calls of deliveries from bucket to bucket, one for each member as on AWS, counted at an S3 over HTTP: those to the
 * member's bucket and those to the vault's, receipts and registry included.
 */
export async function run(): Promise<BenchResult> {
  let most = 0;
  for (const each of CASES) {
    const { calls, objects } = await counted(each);
    const aFile = sum(calls) / (each.files * each.members);
    const anObject = (sum(calls) / objects).toFixed(2);
    const text = [...calls].map(([operation, count]) => `${operation} ${count}`).join(', ');
    const shape = `${each.filesAManifest} files a manifest, ${each.files} files, ${each.members} members`;
    console.log(`${shape.padEnd(46)} ${aFile.toFixed(2)} a file and member, ${anObject} an object: ${text}`);
    if (each.filesAManifest === 100) most = Math.max(most, aFile);
  }
  for (const filesAManifest of [1, 100]) {
    const minutes = await backfill({ filesAManifest, files: filesAManifest === 1 ? 200 : 1_000, members: 1 });
    const shape = `a new member's ${BACKFILL} files, ${filesAManifest} a manifest`;
    console.log(`${shape}: ${minutes.toFixed(1)} minutes, if a copy takes ${COPY} s and any other call ${CALL} s`);
  }
  return {
    ...{ name: 'deliver-calls', unit: 'calls a file and member', ours: most, ratio: most / AT_MOST },
    peer: { name: 'the goal', value: AT_MOST },
    limit: { name: 'one copy', value: 1 },
  };
}

const sum = (calls: ReadonlyMap<string, number>): number => [...calls.values()].reduce((all, count) => all + count, 0);

/** Minutes: as long as so many of its files take where calls wait as assumed, or as S3's rates let it. */
async function backfill(shape: (typeof CASES)[number]): Promise<number> {
  const { calls, seconds } = await counted(shape, true);
  const writes = [...calls].reduce((all, [operation, count]) => all + (WRITES.test(operation) ? count : 0), 0);
  const slowest = Math.max(seconds, writes / RATES.writes, (sum(calls) - writes) / RATES.reads);
  return (slowest * BACKFILL) / (shape.files * 60);
}

interface Counted {
  /** By operation. */
  readonly calls: Map<string, number>;
  /** Put at members: files, their records, and what each manifest has besides. */
  readonly objects: number;
  readonly seconds: number;
}

async function counted({ filesAManifest, files, members }: (typeof CASES)[number], waits = false): Promise<Counted> {
  const fake = await startFaultyS3();
  const own = {
    region: 'eu-central-1',
    endpoint: fake.endpoint,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  };
  const [client, ours] = [memberClient(own), s3Client(own)];
  try {
    const source = { client: ours, bucket: 'vault', prefix: 'acme/', account: OWNER };
    const vault = s3Vault(source);
    const history = new ToyHistory(vault);
    for (let at = 0; at < files; at += filesAManifest) {
      const count = Math.min(filesAManifest, files - at);
      await history.seal(...Array.from({ length: count }, (_, n) => Buffer.from(`file ${at + n}`)));
    }
    const clock = { now: () => new Date() };
    const destinationOf = ({ member }: Member) => {
      const prefix = memberPrefix(NETWORK, member);
      const to = { client, bucket: member, account: OWNER, region: own.region, prefix, source: { ...source, client } };
      return s3Destination(to, clock);
    };
    const registry = { vault, clock, network: NETWORK, by: 'a benchmark', destinationOf, signer: unprovenSigner };
    const destination = { kind: 'bucket', region: own.region, account: OWNER } as const;
    for (let n = 0; n < members; n++) {
      const member = MemberId.parse(`bank-${n}`);
      const report = { at: Instant.parse(clock.now().toISOString()), faults: [] };
      await actOn(registry, member, { what: 'register', destination: { ...destination, bucket: member } });
      await actOn(registry, member, { what: 'check', report });
      await actOn(registry, member, { what: 'set', environmentBackupTarget: true });
    }
    const all = (await readMembers(vault)).members.map(({ value }) => value);
    fake.log.length = 0;
    if (waits) fake.onRequest = ({ operation }) => sleep((operation === 'CopyObject' ? COPY : CALL) * 1000);
    let objects = 0;
    const began = performance.now();
    for (const member of all) {
      const [end] = await deliver({ ...registry, signal: AbortSignal.any([]) }, [member], { atOnce: AT_ONCE });
      if (end?.outcome !== 'whole') throw new Error(`not whole: ${JSON.stringify(end)}`);
      objects += end.objects;
    }
    const seconds = (performance.now() - began) / 1000;
    const calls = new Map(
      [...Map.groupBy(fake.log, ({ operation }) => operation)].map(([name, of]) => [name, of.length]),
    );
    return { calls, objects, seconds };
  } finally {
    for (const each of [client, ours]) each.destroy();
    await fake.stop();
  }
}
