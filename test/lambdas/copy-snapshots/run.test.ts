import { beforeEach, describe, expect, test } from '@jest/globals';
import { canonicalBytes } from '../../../core/canonical.ts';
import { run as turn } from '../../../lambdas/copy-vault/run.ts';
import { copyVault } from '../../../vault/copy-vault.ts';
import { expireSet } from '../../../vault/expire.ts';
import { lackingCopies } from '../../../vault/lacking-copies.ts';
import { findSet } from '../../../vault/sets.ts';
import { verify } from '../../../vault/verify.ts';
import { always, until } from '../../fakes/rds-world.ts';
import { FIRST, KEY, ordersIn, referencesOf, SECOND, told, twoAccounts } from '../../support/snapshot-copies.ts';
import { toyProtocol } from '../../support/toy-sets.ts';

let world: ReturnType<typeof twoAccounts>;
beforeEach(async () => {
  world = twoAccounts();
  await world.seal('one');
});

const called = (rds: (typeof world)['here'], pattern: RegExp) => rds.log.filter(({ action }) => pattern.test(action));
const begun = () => called(world.there, /^Copy/);
const tagsOf = (copy: ReturnType<typeof world.copies>[number] | undefined) =>
  Object.fromEntries((copy?.shape.TagList ?? []).map(({ Key, Value }) => [Key, Value]));

/** Looks until nothing is to be waited for, at most so often; a call that RDS did not answer is made again. */
async function untilDone(most = 20) {
  for (let looks = 1; looks <= most; looks++) {
    try {
      const { done } = await world.look();
      if (done) return looks;
    } catch (error) {
      if ((error as Error).name !== 'RdsUnavailable' && (error as Error).name !== 'SnapshotsUnavailable') throw error;
    }
    world.pass(60);
  }
  throw new Error('never done');
}

describe('the copies of a set’s snapshots', () => {
  test('are shared, copied under the second vault’s key with their proofs, ended to be shared, and told of', async () => {
    expect(await world.look()).toMatchObject({ done: false, going: 2, copied: 0 });
    expect(world.shared()).toEqual([SECOND, SECOND]);
    world.pass(60);
    expect(await world.look()).toMatchObject({ done: false, going: 2, waitSeconds: 15 });
    expect(await told(world.second, 'one')).toEqual({ app: undefined, ledger: undefined });
    world.pass(60);
    expect(await world.look()).toEqual({ done: true, waitSeconds: 0, copied: 2, going: 0, waiting: 0 });
    expect(world.shared()).toEqual([]);
    for (const { order, reference, artifact } of await ordersIn(world.vault)) {
      const copy = world
        .copies()
        .find(({ shape }) => tagsOf({ shape } as never)['ledgerhold:copy-of'] === reference.arn);
      expect(copy?.shape.KmsKeyId).toBe(world.key);
      expect(tagsOf(copy)).toMatchObject({ ...reference.tags, 'ledgerhold:set': 'toy-1/1', ...order.tags });
      expect((await told(world.second, 'one'))[reference.component]).toMatchObject({
        ...{ reference: artifact.sha256, id: order.id, copyOf: reference.arn, kind: reference.kind },
        arn: expect.stringMatching(`^arn:aws:rds:eu-west-1:${SECOND}:(cluster-)?snapshot:second-toy-net-[0-9a-f]{14}$`),
      });
    }
  });

  test('lack nothing afterwards, and a look at what was lacking changes nothing', async () => {
    const lacking = await lackingCopies(world.vault, world.second, 100);
    expect(lacking.map(({ seq, component }) => ({ seq, component }))).toEqual([
      { seq: 1, component: 'app' },
      { seq: 1, component: 'ledger' },
    ]);
    await untilDone();
    expect(await lackingCopies(world.vault, world.second, 100)).toEqual([]);
    const before = [...world.second.objects.keys()];
    for (const rds of [world.here, world.there]) rds.log.length = 0;
    expect(await world.look(20, lacking)).toMatchObject({ done: true, copied: 2 });
    expect([...world.here.log, ...world.there.log]).toEqual([]);
    expect([...world.second.objects.keys()]).toEqual(before);
  });

  test('are named by the turn that has copied the last object, with a time until which they are looked at', async () => {
    const { vault, second, now } = world;
    const journal = { note: () => {}, failure: () => {} };
    const large = { atLeast: Number.POSITIVE_INFINITY, copy: async () => undefined };
    const taken = (milliseconds: number) =>
      turn({}, { vault, second, large, journal, clock: { now }, turn: milliseconds });
    expect(await taken(0)).toMatchObject({ done: false, snapshots: [] });
    const { done, snapshots, lookUntil } = await taken(60_000);
    expect({ done, lookUntil }).toEqual({ done: true, lookUntil: '2026-11-01T00:20:00.000Z' });
    expect(snapshots.map(({ node, seq, component }) => `${node}/${seq} ${component}`)).toEqual([
      ...['toy-1/1 app', 'toy-1/1 ledger'],
    ]);
  });

  test('prove in the second vault as a note where they lie; another capture’s is a violation', async () => {
    await copyVault(world.vault, world.second);
    await untilDone();
    const { keys, second } = world;
    const prove = () =>
      verify({ vault: second, publicKeys: [keys.publicKey], protocolNamed: () => toyProtocol, depth: 'bytes' });
    const proven = await prove();
    expect(proven.status).toBe('proven');
    const findings = proven.sets.flatMap((set) => set.findings).filter(({ code }) => code === 'SNAPSHOT_COPIED');
    expect(findings.map(({ about, level }) => [about, level])).toEqual([
      ['app', 'note'],
      ['ledger', 'note'],
    ]);
    expect(findings[0]?.text).toContain(SECOND);
    const [app = '', ledger = ''] = [...second.objects.keys()].filter((key) => key.includes('/copies/'));
    const own = (await told(second, 'one'))['app'];
    const ofAnother = canonicalBytes({ ...own, reference: 'f'.repeat(64) });
    for (const other of [second.objects.get(ledger) ?? Buffer.of(), ofAnother]) {
      second.objects.set(app, other);
      expect((await prove()).sets[0]?.findings).toContainEqual(
        expect.objectContaining({ level: 'violation', code: 'COPY_FOREIGN', about: app }),
      );
    }
  });

  test('end the same whichever call is throttled, is not answered, or loses its answer', async () => {
    await untilDone();
    const calls = world.here.log.length + world.there.log.length;
    expect(calls).toBeGreaterThan(10);
    for (const fault of ['answer lost', { code: 'Throttling' }, { code: 'InternalFailure', status: 500 }] as const) {
      for (let at = 0; at < calls; at++) {
        world = twoAccounts();
        await world.seal('one');
        let n = 0;
        const strike = () => (n++ === at ? fault : undefined);
        world.here.onCall(strike);
        world.there.onCall(strike);
        await untilDone();
        expect(world.copies()).toHaveLength(2);
        expect(world.shared()).toEqual([]);
        expect(await told(world.second, 'one')).toMatchObject({
          app: { kind: 'instance' },
          ledger: { kind: 'cluster' },
        });
      }
    }
  });

  test('of two lookers at once are made once', async () => {
    await Promise.all([world.look(), world.look()]);
    world.pass(120);
    await Promise.all([world.look(), world.look()]);
    expect(world.copies()).toHaveLength(2);
    expect(await world.look()).toMatchObject({ done: true });
  });

  test('in another Region of one account are shared with nobody', async () => {
    world = twoAccounts({ account: FIRST });
    await world.seal('one');
    await untilDone();
    expect(called(world.here, /^Modify/)).toEqual([]);
    expect((await told(world.second, 'one'))['app']?.arn).toContain(`:eu-west-1:${FIRST}:`);
  });
});

describe('what is waited for', () => {
  test.each(['ModifyDBSnapshotAttribute', 'CopyDBSnapshot'])(
    'is a snapshot that RDS is busy with at %s',
    async (busy) => {
      const strike = ({ action }: { action: string }) =>
        action === busy ? { code: 'InvalidDBSnapshotState' } : undefined;
      world.here.onCall(strike);
      world.there.onCall(strike);
      expect(await world.look()).toMatchObject({ done: false, going: 1, waiting: 1 });
      world.here.onCall(() => undefined);
      world.there.onCall(() => undefined);
      await untilDone();
      expect(world.copies()).toHaveLength(2);
    },
  );

  test('is what RDS has no room for at once: four, those of the newest sets first', async () => {
    for (const slot of ['two', 'three']) await world.seal(slot);
    expect(await world.look()).toMatchObject({ going: 4, waiting: 2 });
    expect(new Set(world.copies().map((copy) => tagsOf(copy)['ledgerhold:set']))).toEqual(
      new Set(['toy-1/3', 'toy-1/2']),
    );
    world.pass(120);
    expect(await world.look()).toMatchObject({ copied: 4, going: 2, waiting: 0 });
  });

  test('is left to the next run when this one has looked for long enough', async () => {
    await world.look();
    expect(await world.look(0)).toMatchObject({ done: true, waitSeconds: 0, going: 2 });
  });

  test('is nothing of a set that has expired, nor of one whose tombstone is written though its references are there', async () => {
    const { vault, keys, now } = world;
    const stored = await findSet(vault, 'toy-1/1');
    const janitor = { remove: async () => false, sweepUnfinished: async () => 0 };
    await expireSet({ stored, snapshots: new Map() }, ['old'], { vault, janitor, clock: { now }, signer: keys.signer });
    expect(await lackingCopies(vault, world.second, 100)).toHaveLength(2);
    expect(await world.look()).toMatchObject({ done: true, copied: 2 });
    expect(begun()).toEqual([]);
    for (const key of [...vault.objects.keys()]) if (key.endsWith('.snapshot.json')) vault.objects.delete(key);
    expect(await lackingCopies(vault, world.second, 100)).toEqual([]);
  });
});

describe('what will not heal', () => {
  /** Fails by this, and has ended the other snapshot’s copy all the same; nothing stays shared. */
  async function fails(message: RegExp, remedy = /./) {
    await expect(untilDone()).rejects.toMatchObject({
      ...{ name: 'SnapshotNotCopied', message: expect.stringMatching(message), remedy: expect.stringMatching(remedy) },
    });
    expect((await told(world.second, 'one'))['ledger']).toBeDefined();
    expect((await told(world.second, 'one'))['app']).toBeUndefined();
    expect(world.failures).toContainEqual({ node: 'toy-1', seq: 1, component: 'app' });
    expect(world.shared()).toEqual([]);
  }
  const app = async () => {
    const [found] = (await ordersIn(world.vault)).filter(({ reference }) => reference.component === 'app');
    if (found === undefined) throw new Error('a set has an app');
    return found;
  };
  const course = async (status: string) => {
    const { order } = await app();
    world.there.world.course = (id) =>
      id === order.id ? until(30, 'creating', always(status)) : until(120, 'creating', always('available'));
  };

  test('is a copy that failed; deleted by its account, it is made again', async () => {
    await course('failed');
    await fails(/copy second-toy-net-\w+ is failed/, /deleted it/);
    world.there.world.course = () => always('available');
    world.there.world.snapshots.delete((await app()).order.id);
    await untilDone();
    expect((await told(world.second, 'one'))['app']).toBeDefined();
  });

  test('is a status that nobody knows', async () => {
    await course('on-holiday');
    await fails(/"on-holiday", which this version does not know/);
  });

  test.each([
    ['with another set', { 'ledgerhold:set': 'toy-1/9' }],
    ['with another receipt', { 'ledgerhold:receipt': 'f'.repeat(64) }],
    ['with another predecessor', { 'ledgerhold:after:wallet': 'f'.repeat(64) }],
    ['that does not say when it was asked for', { 'ledgerhold:asked-at': 'once' }],
  ])('is a copy under its name %s: it is not adopted', async (_, other) => {
    const { order } = await app();
    await world.look();
    const copy = world.there.world.snapshots.get(order.id);
    const tags = { ...tagsOf(copy), ...other };
    if (copy) copy.shape.TagList = Object.entries(tags).map(([Key, Value]) => ({ Key, Value: String(Value) }));
    await expect(untilDone()).rejects.toMatchObject({ message: expect.stringContaining('it is another') });
    expect((await told(world.second, 'one'))['app']).toBeUndefined();
  });

  test.each(['DBInstanceIdentifier', 'SourceDBSnapshotIdentifier'] as const)(
    'is a copy under its name of another source (%s)',
    async (field) => {
      const { order } = await app();
      await world.look();
      const copy = world.there.world.snapshots.get(order.id);
      if (copy) copy.shape[field] = 'arn:aws:rds:eu-central-1:111111111111:snapshot:another';
      await expect(untilDone()).rejects.toMatchObject({ message: expect.stringContaining('it is another') });
    },
  );

  test('is a snapshot that was deleted before it was copied: it is named', async () => {
    const { reference } = await app();
    world.here.world.snapshots.delete(reference.id);
    await fails(new RegExp(`${reference.id} was deleted before it was copied`));
  });

  test('is a snapshot that is not the one that was sealed', async () => {
    const snapshot = world.here.world.snapshots.get((await app()).reference.id);
    if (snapshot) snapshot.shape.TagList = [];
    await fails(/not the one that was sealed/);
    expect(called(world.here, /^ModifyDBSnapshot/)).toEqual([]);
  });

  test('is a key that the second account may not use: the remedy is its policy', async () => {
    const own = 'arn:aws:kms:eu-central-1:111111111111:key/2';
    const snapshot = world.here.world.snapshots.get((await app()).reference.id);
    if (snapshot) snapshot.shape.KmsKeyId = own;
    world.here.world.closedKeys.add(own);
    await fails(/KMSKeyNotAccessible/, /policy of the key/);
  });

  test('is the default key of RDS, which can be shared with nobody', async () => {
    const own = 'arn:aws:kms:eu-central-1:111111111111:key/2';
    const snapshot = world.here.world.snapshots.get((await app()).reference.id);
    if (snapshot) snapshot.shape.KmsKeyId = own;
    world.here.world.defaultKeys.add(own);
    await fails(/default key/, /default key of RDS can never be shared/);
  });

  test('is a snapshot that is not encrypted', async () => {
    world = twoAccounts();
    await world.seal('one', null);
    await expect(untilDone()).rejects.toMatchObject({ message: expect.stringContaining('is not encrypted') });
    expect(called(world.there, /^Copy/)).toEqual([]);
  });

  test('is a second account that is full: it is asked before anything is shared', async () => {
    world.there.world.quota = 0;
    await expect(world.look()).rejects.toMatchObject({
      message: expect.stringContaining('may hold 0 manual snapshots'),
    });
    expect(begun()).toEqual([]);
    expect(called(world.here, /^Modify/)).toEqual([]);
    expect(world.failures).toHaveLength(2);
  });

  test('is refused by IAM: the remedy is a deployment', async () => {
    world.there.onCall(({ action }) =>
      action === 'CopyDBSnapshot' ? { code: 'AccessDenied', status: 403 } : undefined,
    );
    await fails(/AccessDenied/, /^Deploy both stacks/);
  });

  test('is a copy that is not there after 4 h; what stands still for 45 min is told before', async () => {
    world.there.world.course = () => always('creating', 40);
    for (const minutes of [0, 44, 2]) {
      await world.look();
      world.pass(minutes * 60);
    }
    expect(world.notes.filter(([what]) => what === 'a copy stands still')).toEqual([]);
    await world.look();
    expect(world.notes).toContainEqual([
      'a copy stands still',
      { node: 'toy-1', seq: 1, component: 'app', percent: 40, minutes: 46 },
    ]);
    world.pass(4 * 3600);
    await expect(world.look()).rejects.toMatchObject({ message: expect.stringMatching(/286 minutes after.*1 more/) });
  });

  test('is a set that was sealed 16 h ago and is still without its copies, though they are on their way', async () => {
    world.there.world.course = () => until(3 * 3600, 'creating', always('available'));
    world.pass(16 * 3600);
    expect(await world.look(0)).toMatchObject({ done: true, going: 2 });
    world.pass(3600);
    await expect(world.look(0)).rejects.toMatchObject({ message: expect.stringContaining('sealed 17 hours ago') });
  });

  test('is not an RDS that does not answer: that is for the workflow to ask again', async () => {
    world.here.onCall(() => ({ code: 'Throttling' }));
    await expect(world.look()).rejects.toMatchObject({ name: 'RdsUnavailable' });
    expect((await referencesOf(world.vault))[0]?.kmsKey).toBe(KEY);
  });
});
