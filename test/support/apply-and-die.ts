import { readFileSync } from 'node:fs';
import { RestorePlan } from '../../core/restore-plan.ts';
import { ageDecryption } from '../../io/age.ts';
import { folderVault } from '../../local/folder-vault.ts';
import { applyPlan } from '../../local/restore-apply.ts';
import { protocolNamed } from '../../protocols/registry.ts';

/** What a test tells the process that is to die: it applies the plan and kills itself at the given step. */
export interface Doom {
  readonly plan: RestorePlan;
  readonly vault: string;
  readonly publicKey: string;
  readonly identity: string;
  /** By component. */
  readonly urls: Readonly<Record<string, string>>;
  /** The step to die at, such as `restoring validator-app`, and after how many of them. */
  readonly at: string;
  readonly count: number;
}

const doom = JSON.parse(readFileSync(0, 'utf8')) as Doom;
let seen = 0;
await applyPlan(RestorePlan.parse(doom.plan), {
  vault: folderVault(doom.vault),
  publicKeys: [doom.publicKey],
  protocolNamed,
  decrypt: ageDecryption(doom.identity),
  source: (component) => ({ url: doom.urls[component] ?? '' }),
  environment: process.env,
  clock: { now: () => new Date() },
  fencedBy: 'a test',
  onStep: ({ kind, component }) => {
    if (`${kind} ${component}` !== doom.at) return;
    seen += 1;
    if (seen === doom.count) process.kill(process.pid, 'SIGKILL');
  },
});
