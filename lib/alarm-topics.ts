import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, UrlSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Config } from '../config/schema.ts';

/** Who is told. Without any the alarms are there, and nobody hears them. */
export interface Listeners {
  /** Of every alarm; each address confirms a message from SNS first. */
  readonly emails?: readonly string[];
  /** Called by SNS for what must wake somebody, over HTTPS. */
  readonly pager?: string;
}

export function listenersOf({ notify: { emails, pager } = {} }: Pick<Config, 'notify'>): Listeners {
  return { ...(emails && { emails }), ...(pager && { pager }) };
}

/** Two topics: everything, and what must wake somebody. */
export class AlarmTopics extends Construct {
  readonly all: Topic;
  readonly pages: Topic;

  constructor(scope: Construct, id: string, { emails = [], pager }: Listeners) {
    super(scope, id);
    // CloudWatch may use no key of SNS's own.
    const masterKey = new Key(this, 'Key', {
      ...{ enableKeyRotation: true, removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE },
    });
    const alarms = new ServicePrincipal('cloudwatch.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
    });
    masterKey.grantEncryptDecrypt(alarms);
    this.all = new Topic(this, 'All', { masterKey, enforceSSL: true });
    this.pages = new Topic(this, 'Pages', { masterKey, enforceSSL: true });
    for (const topic of [this.all, this.pages]) topic.grantPublish(alarms);
    for (const email of emails) this.all.addSubscription(new EmailSubscription(email));
    if (pager !== undefined) this.pages.addSubscription(new UrlSubscription(pager));
  }

  /** Of every alarm. */
  get tell(): SnsAction {
    return new SnsAction(this.all);
  }

  get wake(): SnsAction {
    return new SnsAction(this.pages);
  }
}
