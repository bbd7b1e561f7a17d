import type { DBCluster, DBClusterSnapshot, DBInstance, DBSnapshot } from '@aws-sdk/client-rds';
import { type Answer, type Params, Refusal } from './rds-wire.ts';

/** What a thing's status is so many seconds after it was made. `percent`: of a snapshot. */
export type Course = (seconds: number) => { readonly status: string; readonly percent?: number };

interface Living<Shape> {
  /** All fields but its status. */
  readonly shape: Shape;
  readonly madeAt: number;
  course: Course;
}

export type Snapshot = Living<DBSnapshot>;
export type ClusterSnapshot = Living<DBClusterSnapshot>;
export type Instance = Living<DBInstance>;
export type Cluster = Living<DBCluster>;

/** What a test sees and changes at will. Identifiers are in lower case. */
export interface World {
  readonly now: () => Date;
  readonly account: string;
  readonly region: string;
  readonly instances: Map<string, Instance>;
  readonly clusters: Map<string, Cluster>;
  readonly snapshots: Map<string, Snapshot>;
  readonly clusterSnapshots: Map<string, ClusterSnapshot>;
  /** Manual snapshots of instances, and as many of clusters. */
  quota: number;
  /** ARNs of keys that are disabled: nothing can be made or copied with them. */
  readonly disabledKeys: Set<string>;
  /** ARNs of keys whose policy lets no other account use them. */
  readonly closedKeys: Set<string>;
  /** ARNs of keys that AWS manages: what they encrypt can be shared with nobody. */
  readonly defaultKeys: Set<string>;
  /** ARNs of snapshots, and the accounts they are shared with. */
  readonly shared: Map<string, ReadonlySet<string>>;
  /** Other accounts and Regions, from which this one may copy. */
  readonly elsewhere: World[];
  /** How the next snapshots go; default: available after 120 s. */
  course: (id: string) => Course;
}

export type Handler = (params: Params, world: World) => Answer;
export type Handlers = Readonly<Record<string, Handler>>;

/** Available after so many seconds, by even steps. */
export const availableAfter =
  (seconds: number): Course =>
  (passed) =>
    passed >= seconds
      ? { status: 'available', percent: 100 }
      : { status: 'creating', percent: Math.floor((100 * passed) / seconds) };

/** The same for ever. */
export const always =
  (status: string, percent = 0): Course =>
  () => ({ status, percent });

/** One status until some seconds have passed, then another course from there. */
export const until =
  (seconds: number, status: string, then: Course): Course =>
  (passed) =>
    passed < seconds ? { status, percent: 0 } : then(passed - seconds);

export const statusOf = (world: World, { madeAt, course }: Pick<Snapshot, 'madeAt' | 'course'>) =>
  course((world.now().getTime() - madeAt) / 1000);

export const text = (params: Params, name: string): string => {
  const value = params[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new Refusal('MissingParameter', `The request must contain the parameter ${name}.`);
};

/** Identifiers are kept in lower case, and an ARN ends in one. */
export const idIn = (params: Params, name: string): string => text(params, name).toLowerCase().split(':').at(-1) ?? '';

export const arn = ({ region, account }: World, kind: string, id: string): string =>
  `arn:aws:rds:${region}:${account}:${kind}:${id}`;

export const tagsIn = (params: Params): { Key: string; Value: string }[] =>
  ((params['Tags'] ?? []) as unknown as { Key: string; Value?: string }[]).map(({ Key, Value = '' }) => ({
    Key,
    Value,
  }));

export function found<T>(map: ReadonlyMap<string, T>, id: string, code: string, what: string): T {
  const one = map.get(id);
  if (one !== undefined) return one;
  throw new Refusal(code, `${what} ${id} not found.`, 404);
}

/** As the service takes names: a letter first, then letters, digits and hyphens, no two in a row and none last. */
export function refuseBadName(id: string, longest = 255): void {
  if (/^[a-z](?:-?[a-z0-9])*$/.test(id) && id.length <= longest) return;
  throw new Refusal('InvalidParameterValue', `The parameter ${id} is not a valid identifier.`);
}

export function refuseDisabledKey(world: World, key: string | undefined): void {
  if (key === undefined || !world.disabledKeys.has(key)) return;
  throw new Refusal('KMSKeyNotAccessibleFault', `The KMS key ${key} is disabled.`);
}

/** At most 100 in a page; a marker is the number of the next. */
export function page<T>(all: readonly T[], params: Params): { readonly some: readonly T[]; readonly Marker?: string } {
  const from = Number(params['Marker'] ?? 0);
  const most = Number(params['MaxRecords'] ?? 100);
  const some = all.slice(from, from + most);
  return from + most < all.length ? { some, Marker: String(from + most) } : { some };
}
