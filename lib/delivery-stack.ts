import { type App, Stack, Tags } from 'aws-cdk-lib';
import type { Config } from '../config/schema.ts';
import { stackName } from '../core/deployed-names.ts';
import { Delivery } from './delivery.ts';
import { memberAccounts } from './member-list.ts';
import type { Storage } from './storage.ts';
import type { Watch } from './watch.ts';

/** Whether anything is delivered from AWS. */
export const hasMembers = ({ members = [] }: Pick<Config, 'members'>): boolean =>
  members.some((member) => 'account' in member);

/** What brings the members of a network their files: in a stack of its own, since it comes with the first member. */
export class DeliveryStack extends Stack {
  readonly delivery: Delivery;

  constructor(app: App, config: Config, place: { readonly storage: Storage; readonly watch: Watch }) {
    const { network, aws } = config;
    super(app, stackName(network, 'Delivery'), {
      description: `Ledgerhold: deliveries to the members of ${network}`,
      terminationProtection: true,
      ...(aws === undefined ? {} : { env: { account: aws.account, region: aws.region } }),
    });
    const tags = { ...aws?.tags, network, 'managed-by': 'ledgerhold' };
    for (const [key, value] of Object.entries(tags)) Tags.of(this).add(key, value);
    this.delivery = new Delivery(this, 'Delivery', { ...place, accounts: memberAccounts(config) });
  }
}
