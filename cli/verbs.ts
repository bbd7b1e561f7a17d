import type { VerbModule } from './shell.ts';

export interface Verb {
  readonly name: string;
  readonly summary: string;
  /** Loaded only when the verb is named, so that `--help` loads little. */
  readonly load: () => Promise<VerbModule>;
}

/** Every verb, in the order in which one meets them. */
export const VERBS: readonly Verb[] = [
  {
    name: 'init',
    summary: 'write a commented ledgerhold.yaml; never overwrites',
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'doctor',
    summary: 'check everything that can be checked without changing anything',
    load: () => import('./commands/doctor.ts'),
  },
  { name: 'plan', summary: 'what a run would do, in which order and why', load: () => import('./commands/plan.ts') },
  { name: 'backup', summary: 'one run now', load: () => import('./commands/backup.ts') },
  { name: 'sets', summary: 'the sets in the vault', load: () => import('./commands/sets.ts') },
  {
    name: 'show',
    summary: 'one set: receipts, order, positions, artifacts',
    load: () => import('./commands/show.ts'),
  },
  {
    name: 'status',
    summary: 'one screen: age of the last set, what runs, what failed',
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'verify',
    summary: 'prove sets again, from the vault and a public key given from outside',
    load: () => import('./commands/verify.ts'),
  },
  {
    name: 'restore',
    summary: 'bring a node back from a set: plan, apply, or one artifact',
    load: () => import('./commands/restore.ts'),
  },
  {
    name: 'drill',
    summary: 'restore in isolation, check what it means, measure how long it takes',
    load: () => import('./commands/drill.ts'),
  },
  {
    name: 'history',
    summary: 'the files of a chain, from genesis',
    load: () => import('./commands/history.ts'),
  },
  {
    name: 'import-history',
    summary: 'take over the files of a chain that another service has exported',
    load: () => import('./commands/import-history.ts'),
  },
  {
    name: 'chain',
    summary: 'the files that an Ethereum client exports: verify them, offline',
    load: () => import('./commands/chain.ts'),
  },
  {
    name: 'members',
    summary: 'organisations with a bucket or folder of their own: destinations, checks, who lags',
    load: () => import('./commands/members.ts'),
  },
  {
    name: 'nodes',
    summary: 'chains: whether and how often each is backed up; to set it, from the next slot on',
    load: () => import('./commands/nodes.ts'),
  },
  {
    name: 'deliver',
    summary: 'bring every member what the history has and it has not',
    load: () => import('./commands/deliver.ts'),
  },
  {
    name: 'serve',
    summary: 'this machine’s schedules: each run at its time, retention, second vault, alarms',
    load: () => import('./commands/serve.ts'),
  },
  {
    name: 'demo',
    summary: 'a toy validator and a chain, backed up, proved and restored on this machine, in a minute',
    load: () => import('./commands/demo.ts'),
  },
];
