import { type App, Stack, Tags } from 'aws-cdk-lib';
import type { Config } from '../config/schema.ts';
import { stackName } from '../core/deployed-names.ts';
import { environmentOf } from './backup-stacks.ts';
import { MemberApi, type MemberApiProps } from './member-api.ts';
import { memberApiOf } from './member-list.ts';
import type { Storage } from './storage.ts';

/** The API of a network's members, in a stack of its own: it comes and goes without touching a backup. */
export class MemberApiStack extends Stack {
  readonly memberApi: MemberApi;

  constructor(app: App, config: Config, props: MemberApiProps) {
    const { network, aws } = config;
    super(app, stackName(network, 'MemberApi'), {
      description: `Ledgerhold: the API of the members of ${network}`,
      terminationProtection: true,
      ...environmentOf(config),
    });
    const tags = { ...aws?.tags, network, 'managed-by': 'ledgerhold' };
    for (const [key, value] of Object.entries(tags)) Tags.of(this).add(key, value);
    this.memberApi = new MemberApi(this, 'MemberApi', props);
  }
}

/** Undefined: the config names no member by an account, or nothing is deployed. */
export function memberApiStack(app: App, config: Config, storage: Storage): MemberApiStack | undefined {
  const named = memberApiOf(config);
  return named === undefined ? undefined : new MemberApiStack(app, config, { ...named, storage });
}
