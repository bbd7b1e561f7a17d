import * as z from 'zod';
import type { Digest } from './canonical.ts';
import { LedgerholdError } from './errors.ts';
import type { Manifest } from './manifest.ts';
import { ComponentName, Instant, NetworkName, NodeName, Seq, Sha256, Slot, setId } from './names.ts';
import type { Law } from './positions.ts';
import { Artifact } from './receipts.ts';
import { SnapshotReference } from './snapshots.ts';

/** A command for a person to run, as a line for a POSIX shell, and what it is for. */
export const Command = z.strictObject({ run: z.string(), why: z.string() });
export type Command = z.infer<typeof Command>;

/** Where a component goes. All names are plain database names, unquoted, at most 63 bytes. */
export const Target = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('database'),
    /** Host and port or path, for people; never a user or a password. */
    server: z.string(),
    /** What the node opens. */
    database: z.string(),
    /** Restored and checked under this name first. */
    beside: z.string(),
    /** What the old one is called afterwards, if there was one. */
    keptAs: z.string(),
  }),
  /** A snapshot becomes an instance or cluster of its own, beside the one in use, set up as that one was. */
  z.strictObject({
    kind: z.literal('rds'),
    snapshot: SnapshotReference,
    /** Identifier of the new instance or cluster, at most 63 characters. */
    beside: z.string(),
  }),
  /** Not put back by a restore; `how` says what it is for and how to get it. */
  z.strictObject({ kind: z.literal('file'), how: z.string() }),
]);
export type Target = z.infer<typeof Target>;

/** How the node is stopped before and started after. Every step is a person's; `apply` runs none of them. */
export const DeploymentSteps = z.strictObject({
  kind: z.enum(['compose', 'kubernetes', 'other']),
  /** Until nothing but PostgreSQL runs. */
  stop: z.array(Command),
  start: z.array(Command),
});
export type DeploymentSteps = z.infer<typeof DeploymentSteps>;

/** A restore, decided and written down: `apply` does exactly this and nothing else. */
export const RestorePlan = z.strictObject({
  format: z.literal('ledgerhold/restore-plan/1'),
  createdAt: Instant,
  /** `file:///…` or `s3://bucket/prefix`. */
  vault: z.string(),
  network: NetworkName,
  node: NodeName,
  protocol: z.string(),
  /** `<node>/<seq>`. */
  set: z.string(),
  seq: Seq,
  slot: Slot,
  sealedAt: Instant,
  /** SHA-256 of the manifest's bytes. */
  manifest: Sha256,
  /** What speaks against the set and was accepted by a person. */
  accepted: z.array(z.strictObject({ hazard: z.enum(['unproven', 'old']), why: z.string() })),
  /** In the order in which they are restored. */
  components: z
    .array(z.strictObject({ component: ComponentName, role: z.string(), artifact: Artifact, target: Target }))
    .min(1),
  deployment: DeploymentSteps,
  loses: z.array(z.string()),
  after: z.array(z.string()),
});
export type RestorePlan = z.infer<typeof RestorePlan>;

/** The database that the node opens; a snapshot; or for what no restore puts back, what it is for and how to get it. */
export type PlannedTarget =
  | { readonly server: string; readonly database: string }
  | { readonly snapshot: SnapshotReference }
  | { readonly how: string };

/** What a plan is made of. Targets and artifacts are by component. */
export interface PlanInput {
  readonly createdAt: Instant;
  readonly vault: string;
  readonly manifest: { readonly value: Manifest; readonly sha256: Sha256 };
  readonly artifacts: Readonly<Record<string, Artifact>>;
  readonly targets: Readonly<Record<string, PlannedTarget>>;
  readonly accepted: RestorePlan['accepted'];
  readonly deployment: DeploymentSteps;
  readonly protocol: {
    readonly laws: readonly Law[];
    readonly restore: { readonly loses: readonly string[]; readonly after: readonly string[] };
  };
  /** Only this component. */
  readonly only?: string;
  readonly digest: Digest;
}

/**
 * Throws `NotInSet` for an `only` that the set does not hold, `NoTarget` where nobody said where a component goes, and
 * `PartialRestore` where it alone would fork the node.
 */
export function planRestore(input: PlanInput): RestorePlan {
  const { value: manifest, sha256 } = input.manifest;
  const { network, node, protocol, seq, slot, sealedAt } = manifest;
  const wanted = manifest.components.filter(({ component }) => component === (input.only ?? component));
  if (wanted.length === 0) throw new NotInSet(input.only ?? '', setId(node, seq));
  refusePartial(manifest, wanted, input.protocol.laws);
  return {
    format: 'ledgerhold/restore-plan/1',
    ...{ createdAt: input.createdAt, vault: input.vault, network, node, protocol },
    ...{ set: setId(node, seq), seq, slot, sealedAt, manifest: sha256 },
    accepted: input.accepted,
    components: wanted.map(({ component, role }) => {
      const [artifact, target] = [input.artifacts[component], input.targets[component]];
      if (artifact === undefined || target === undefined) throw new NoTarget(component);
      return { component, role, artifact, target: targetOf(target, manifest, input.digest) };
    }),
    deployment: input.deployment,
    loses: [...input.protocol.restore.loses],
    after: [...input.protocol.restore.after],
  };
}

function targetOf(given: PlannedTarget, set: Manifest, digest: Digest): Target {
  if ('how' in given) return { kind: 'file', how: given.how };
  if ('snapshot' in given) {
    const { snapshot } = given;
    return { kind: 'rds', snapshot, beside: instanceBeside(snapshot.source, set, digest) };
  }
  return { kind: 'database', ...given, ...namesBeside(given.database, set, digest) };
}

type Part = Manifest['components'][number];

/** An older `upper` under a `lower` that stays as it is would be the very fork that the law forbids. */
function refusePartial(manifest: Manifest, wanted: readonly Part[], laws: readonly Law[]): void {
  for (const { upper, lower } of laws) {
    const staying = manifest.components.find((part) => part.role === lower.role && !wanted.includes(part));
    const restored = wanted.find(({ role }) => role === upper.role);
    if (staying !== undefined && restored !== undefined)
      throw new PartialRestore(restored.component, staying.component);
  }
}

export class NotInSet extends LedgerholdError {
  override readonly name = 'NotInSet';
  readonly kind = 'usage';
  constructor(component: string, set: string) {
    super(`the set holds no ${component}`, `Run \`ledgerhold show ${set}\` to see what it holds.`);
  }
}

export class NoTarget extends LedgerholdError {
  override readonly name = 'NoTarget';
  readonly kind = 'usage';
  constructor(component: string) {
    super(`nothing says where ${component} is to be restored`, 'Name its database in the configuration.');
  }
}

export class PartialRestore extends LedgerholdError {
  override readonly name = 'PartialRestore';
  readonly kind = 'refused';
  constructor(restored: string, staying: string) {
    super(
      `${restored} alone would be older than ${staying}, which stays as it is: the node would fork`,
      `Restore the whole set, or ${staying} alone.`,
    );
  }
}

/** PostgreSQL cuts longer names without a word (NAMEDATALEN − 1), which would make two of them one. */
const NAME_BYTES = 63;

/**
 * The names of a database beside the one in use: `<db>_<node>-<seq>` and `<db>_before_<node>-<seq>`. Where one would
 * be too long, the database's part of both is cut and followed by `~` and 8 digits of its SHA-256.
 */
export function namesBeside(
  database: string,
  set: { readonly node: string; readonly seq: number },
  digest: Digest,
): { readonly beside: string; readonly keptAs: string } {
  const suffix = `${set.node}-${set.seq}`;
  const room = NAME_BYTES - `_before_${suffix}`.length;
  const bytes = new TextEncoder().encode(database);
  const stem = bytes.length <= room ? database : `${firstBytes(bytes, room - 9)}~${digest(bytes).slice(0, 8)}`;
  return { beside: `${stem}_${suffix}`, keptAs: `${stem}_before_${suffix}` };
}

/** RDS takes at most 63 letters, digits and hyphens, no two hyphens in a row, and none at the end. */
const IDENTIFIER_LENGTH = 63;

/**
 * What the restored copy of an instance or cluster is called: `<source>-<node>-<seq>`. Where that would be too long, the
 * source's part is cut and followed by 8 digits of its SHA-256. Room is left for the `-1` of a cluster's first member.
 */
export function instanceBeside(
  source: string,
  set: { readonly node: string; readonly seq: number },
  digest: Digest,
): string {
  const suffix = `-${set.node}-${set.seq}`;
  const room = IDENTIFIER_LENGTH - '-1'.length - suffix.length;
  const cut = `${source.slice(0, room - 9)}-${digest(new TextEncoder().encode(source)).slice(0, 8)}`;
  return `${source.length <= room ? source : cut}${suffix}`.replaceAll(/-{2,}/g, '-');
}

/** At most `count` bytes of UTF-8, without half a character at the end. */
const firstBytes = (bytes: Uint8Array, count: number): string =>
  new TextDecoder().decode(bytes.subarray(0, count), { stream: true });
