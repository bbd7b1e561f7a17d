import { Construct } from 'constructs';
import type { RetainPolicy } from '../../lambdas/retain-node/contract.ts';
import type { Storage } from '../storage.ts';
import { ListNodes } from './list-nodes.ts';
import { RetainNode } from './retain-node.ts';

/** The Lambdas that the retention's workflow calls, each with its own role. */
export class RetentionSteps extends Construct {
  readonly listNodes: ListNodes;
  readonly retainNode: RetainNode;

  constructor(scope: Construct, id: string, storage: Storage, policy: RetainPolicy) {
    super(scope, id);
    this.listNodes = new ListNodes(this, storage);
    this.retainNode = new RetainNode(this, storage, policy);
  }

  /** All of them. */
  get all() {
    return [this.listNodes, this.retainNode];
  }
}
