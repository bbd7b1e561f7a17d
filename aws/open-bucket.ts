import { type BucketState, bucketState } from './bucket-state.ts';
import { type BucketAddress, bucketOptions } from './open.ts';

/** How the bucket of an address is set up. Rejects as `bucketState`. */
export const lookAtBucket = (address: BucketAddress): Promise<BucketState> => bucketState(bucketOptions(address));
