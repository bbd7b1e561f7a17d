import * as z from 'zod';

const dollars = z.number().min(0);

/** US dollars, without tax, free tiers or discounts. */
export const Prices = z.strictObject({
  stepFunctionsPer1000Transitions: dollars,
  lambdaPerMillionCalls: dollars,
  lambdaPerGibibyteSecond: dollars.describe('arm64'),
  s3PerGigabyteMonth: dollars.describe('Standard, the first 50 TB'),
  s3Per1000Writes: dollars.describe('PUT and LIST'),
  s3Per1000Reads: dollars.describe('GET and HEAD'),
  kmsPerKeyMonth: dollars,
  kmsPer10000Calls: dollars,
  kmsPer10000Signatures: dollars.describe('ECC'),
  secretPerMonth: dollars,
  secretsPer10000Calls: dollars,
  rdsSnapshotPerGibibyteMonth: dollars.describe('PostgreSQL, beyond what the instance has free'),
  alarmPerMonth: dollars,
  metricPerMonth: dollars,
  dashboardPerMonth: dollars,
  logsPerGigabyte: dollars,
  transferPerGigabyteToAnotherRegion: dollars,
});
export type Prices = z.infer<typeof Prices>;

/** When and whence: whoever reads a sum should know how old it is. */
export const PRICES_OF =
  'the public price pages of AWS as they were known in 2026-11; not fetched, so check before a budget';

const usEast1: Prices = {
  stepFunctionsPer1000Transitions: 0.025,
  lambdaPerMillionCalls: 0.2,
  lambdaPerGibibyteSecond: 0.000_013_333_4,
  s3PerGigabyteMonth: 0.023,
  s3Per1000Writes: 0.005,
  s3Per1000Reads: 0.0004,
  kmsPerKeyMonth: 1,
  kmsPer10000Calls: 0.03,
  kmsPer10000Signatures: 0.15,
  secretPerMonth: 0.4,
  secretsPer10000Calls: 0.05,
  rdsSnapshotPerGibibyteMonth: 0.095,
  alarmPerMonth: 0.1,
  metricPerMonth: 0.3,
  dashboardPerMonth: 3,
  logsPerGigabyte: 0.5,
  transferPerGigabyteToAnotherRegion: 0.02,
};

/** By Region. */
export const PRICES: Readonly<Record<string, Prices>> = {
  'us-east-1': usEast1,
  'eu-central-1': {
    ...usEast1,
    s3PerGigabyteMonth: 0.0245,
    s3Per1000Writes: 0.0054,
    s3Per1000Reads: 0.000_43,
    rdsSnapshotPerGibibyteMonth: 0.103,
    logsPerGigabyte: 0.63,
  },
};

/** The Region whose prices are taken for one that the table does not have. */
export const FALLBACK_REGION = 'eu-central-1';

/** Prices of a Region, and what to say of them; `overrides` take the place of single ones. */
export function pricesFor(region: string, overrides: Partial<Prices> = {}) {
  const known = PRICES[region];
  const used = known === undefined ? FALLBACK_REGION : region;
  const named = Object.keys(overrides).length === 0 ? '' : `, but ${Object.keys(overrides).join(', ')} as given`;
  return {
    prices: { ...(known ?? PRICES[FALLBACK_REGION] ?? usEast1), ...overrides },
    source: `${used}: ${PRICES_OF}${named}`,
  };
}
