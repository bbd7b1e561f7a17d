import type * as z from 'zod';
import type { Executions } from '../../core/executions.ts';
import type { ROUTES, Route, RouteId } from '../../core/member-api.ts';
import type { MemberAccounts } from '../../core/member-list.ts';
import type { NetworkName } from '../../core/names.ts';
import type { Clock, Downloads, Journal } from '../../core/ports.ts';
import type { Vault } from '../../core/vault.ts';
import type { ChainDefaults } from './contract.ts';

/** What the API needs of the world. */
export interface ApiPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly network: NetworkName;
  /** The account that may set how nodes are backed up. */
  readonly operator: string;
  /** No destination: whoever could name it would have the vault delivered into itself. */
  readonly vaultBucket: string;
  /** What checks and delivers. */
  readonly deliveries: Pick<Executions, 'start'>;
  readonly members: MemberAccounts;
  readonly chains: ChainDefaults;
  readonly downloads: Downloads;
}

/** One call of somebody who may make it; `body` and `query` fit the route's schemas. */
export interface Call<R extends Route = Route> {
  /** Of the path: of a member that is on the list, or whatever an operator has written. */
  readonly id: string;
  /** The principal's ARN, as AWS attests it. */
  readonly by: string;
  readonly account: string;
  readonly body: R['body'] extends z.ZodType ? z.infer<R['body']> : object;
  readonly query: R['query'] extends z.ZodType ? z.infer<R['query']> : object;
}

/** What one route does, as its row of `ROUTES` says. */
export type Act<Id extends RouteId> = (
  call: Call<(typeof ROUTES)[Id]>,
  ports: ApiPorts,
) => Promise<z.infer<(typeof ROUTES)[Id]['answer']>>;
