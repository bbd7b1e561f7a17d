import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deploymentSteps } from '../../core/deployments.ts';
import { Manifest } from '../../core/manifest.ts';
import { Instant, Sha256 } from '../../core/names.ts';
import { Artifact } from '../../core/receipts.ts';
import {
  NoTarget,
  namesBeside,
  PartialRestore,
  type PlanInput,
  planRestore,
  RestorePlan,
} from '../../core/restore-plan.ts';
import { splice } from '../../protocols/splice/splice.ts';

const digest = (bytes: Uint8Array) => Sha256.parse(createHash('sha256').update(bytes).digest('hex'));
const ZERO = Sha256.parse('0'.repeat(64));
const AT = '2026-11-21T12:00:00.000Z';
const run = 'sets/validator-1/runs/s/1';

const part = (component: string) => ({
  ...{ component, role: component },
  start: { key: `${run}/receipts/${component}.start.json`, sha256: ZERO },
  end: { key: `${run}/receipts/${component}.end.json`, sha256: ZERO },
  artifacts: [{ key: `${run}/${component}.dump.zst.age`, size: 9, sha256: ZERO }],
});
const manifest = Manifest.parse({
  ...{
    format: 'ledgerhold/manifest/1',
    network: 'acme',
    node: 'validator-1',
    protocol: 'splice',
    seq: 7,
    previous: ZERO,
  },
  ...{ slot: AT, fence: 1, reason: 'schedule', sealedAt: AT, spreadSeconds: 3, signer: ZERO, facts: {} },
  waves: [['identities', 'validator-app'], ['participant']],
  order: [['validator-app', 'participant']],
  components: ['identities', 'validator-app', 'participant'].map(part),
  verdict: { status: 'proven', comparisons: [] },
});
const artifact = (component: string) =>
  Artifact.parse({
    ...part(component).artifacts[0],
    ...{ content: 'pg_dump-custom', encodings: ['zstd', 'age'], plain: { size: 20, sha256: ZERO } },
  });
const input: PlanInput = {
  ...{
    createdAt: Instant.parse(AT),
    vault: 'file:///vault',
    manifest: { value: manifest, sha256: ZERO },
    accepted: [],
    digest,
  },
  artifacts: Object.fromEntries(manifest.components.map(({ component }) => [component, artifact(component)])),
  targets: {
    identities: { how: 'for re-onboarding' },
    'validator-app': { server: 'db:5432', database: 'validator' },
    participant: { server: 'db:5432', database: 'participant-4' },
  },
  deployment: deploymentSteps(undefined),
  protocol: splice,
};

describe('a restore plan', () => {
  test('is a document that says all that apply does', () => {
    const plan = planRestore(input);
    expect(RestorePlan.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
    expect(plan.components.map(({ component, target }) => [component, target])).toEqual([
      ['identities', { kind: 'file', how: 'for re-onboarding' }],
      [
        'validator-app',
        {
          ...{ kind: 'database', server: 'db:5432', database: 'validator' },
          ...{ beside: 'validator_validator-1-7', keptAs: 'validator_before_validator-1-7' },
        },
      ],
      ['participant', expect.objectContaining({ beside: 'participant-4_validator-1-7' })],
    ]);
    expect(plan).toMatchObject({ set: 'validator-1/7', manifest: ZERO, loses: splice.restore.loses });
  });

  test('never takes a participant back under an app that stays ahead of it', () => {
    expect(() => planRestore({ ...input, only: 'participant' })).toThrow(PartialRestore);
    expect(planRestore({ ...input, only: 'validator-app' }).components).toHaveLength(1);
  });

  test('is refused where nobody said where a component goes', () => {
    expect(() => planRestore({ ...input, targets: { identities: { how: '' } } })).toThrow(NoTarget);
    expect(() => planRestore({ ...input, only: 'mediator' })).toThrow('the set holds no mediator');
  });
});

describe('names beside a database', () => {
  const set = { node: 'a'.repeat(24), seq: 99_999_999 };
  const size = (name: string) => new TextEncoder().encode(name).length;

  test('that fit are plain', () => {
    const names = namesBeside('validator', { node: 'validator-1', seq: 42 }, digest);
    expect(names).toEqual({ beside: 'validator_validator-1-42', keptAs: 'validator_before_validator-1-42' });
  });

  test('never pass 63 bytes, are always the same, and differ for different databases', () => {
    const database = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 63 });
    fc.assert(
      fc.property(database, database, (one, other) => {
        const names = namesBeside(one, set, digest);
        expect(names).toEqual(namesBeside(one, set, digest));
        expect(Math.max(size(names.beside), size(names.keptAs))).toBeLessThanOrEqual(63);
        expect(names.beside).not.toContain('\uFFFD');
        const others = namesBeside(other, set, digest);
        const all = [names.beside, names.keptAs, others.beside, others.keptAs];
        expect(new Set(all).size).toBe(one === other ? 2 : 4);
      }),
    );
  });
});
