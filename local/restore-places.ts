import type { RestorePlan } from '../core/restore-plan.ts';
import { connectionOf, type PostgresSource } from '../io/postgres/connection.ts';
import { type DatabaseServer, openDatabaseServer } from '../io/postgres/database-server.ts';
import type { ToolOptions } from '../io/postgres/tools.ts';
import { PlanOutdated, RestoreRunning } from './restore-errors.ts';
import type { Place } from './restore-target.ts';

/** The databases of a plan, with a connection to each server that they are on. */
export interface Places {
  readonly plan: RestorePlan;
  /** In the plan's order. */
  readonly all: readonly Place[];
  of(component: string): Place | undefined;
  byServer(): ReadonlyMap<DatabaseServer, readonly Place[]>;
  /** Keeps other restores of the node away. Rejects with `RestoreRunning`. */
  lock(): Promise<void>;
  close(): Promise<void>;
}

export interface PlacesOptions extends ToolOptions {
  readonly source: (component: string) => PostgresSource;
}

/** Rejects with `PlanOutdated` where the config now means another database than the plan. */
export async function openPlaces(plan: RestorePlan, options: PlacesOptions): Promise<Places> {
  const servers = new Map<string, DatabaseServer>();
  const close = async () => void (await Promise.all([...servers.values()].map((server) => server.close())));
  try {
    const all: Place[] = [];
    for (const component of plan.components) {
      const { target } = component;
      if (target.kind !== 'database') continue;
      const source = options.source(component.component);
      refuseOther(component.component, target, source);
      const key = serverOf(source);
      const server = servers.get(key) ?? (await openDatabaseServer(source, options));
      servers.set(key, server);
      all.push({ plan, component, target, source, server });
    }
    return {
      plan,
      all,
      of: (name) => all.find(({ component }) => component.component === name),
      byServer: () => Map.groupBy(all, ({ server }) => server),
      lock: async () => {
        for (const server of servers.values()) {
          if (!(await server.lock(`restore ${plan.network}/${plan.node}`))) throw new RestoreRunning(plan.node);
        }
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Users are part of it: what one user does in a transaction another cannot. */
function serverOf(source: PostgresSource): string {
  const { host, port, user, via } = connectionOf(source);
  return JSON.stringify([host, port, user, via]);
}

/** For people and for plans: where a server is, without user and password. */
export function serverName(source: PostgresSource): string {
  const { host, port, via } = connectionOf(source);
  const at = host === '' ? `port ${port}` : `${host}:${port}`;
  return via.length === 0 ? at : `${at} behind ${via.join(' ')}`;
}

function refuseOther(component: string, target: { server: string; database: string }, source: PostgresSource): void {
  const now = { server: serverName(source), database: connectionOf(source).database };
  if (now.server === target.server && now.database === target.database) return;
  throw new PlanOutdated(
    `${component} is now database ${now.database} on ${now.server}, and was ${target.database} on ${target.server}`,
  );
}
