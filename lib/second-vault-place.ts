import type { Config } from '../config/schema.ts';

/** Where a second vault lies on AWS. */
export interface SecondPlace {
  readonly bucket: string;
  /** Empty, or ending in `/`. */
  readonly prefix: string;
  readonly account: string;
  readonly region: string;
}

/** Undefined: the config has none on AWS, or none that is deployed. */
export function secondPlaceOf({ aws, secondVault }: Config): SecondPlace | undefined {
  const { bucket, prefix = '', account, region, endpoint } = secondVault?.s3 ?? {};
  if (aws === undefined || endpoint !== undefined) return undefined;
  if (bucket === undefined || account === undefined || region === undefined) return undefined;
  return { bucket, account, region, prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/` };
}
