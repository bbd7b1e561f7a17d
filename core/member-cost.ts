import {
  MEMBER_REQUESTS,
  receiptsOf,
  requestsFor,
  type Shipment,
  secondsOf,
  transitionsOf,
  turnsOf,
} from './member-calls.ts';
import type { Prices } from './prices.ts';
import { READ_BACK_DAYS } from './read-back.ts';

/** One member, as far as its delivery costs. */
export interface MemberLoad {
  readonly member: string;
  /** Its bucket is in another Region than the vault. */
  readonly elsewhere: boolean;
  /** Does Step Functions deliver? Else a process of the operator's own. */
  readonly onAws: boolean;
  /** It encrypts with a key of its own. */
  readonly ownKey: boolean;
  /** It lets us read back what was delivered. */
  readonly reads: boolean;
  /** The history as it is. */
  readonly history: Shipment;
  /** What one run adds, as the newest did, and how many there are in a month. */
  readonly run: Shipment;
  readonly runsAMonth: number;
}

/** US dollars: once, for the history as it is; and a month of 30 days. */
interface Dollars {
  readonly backfill: number;
  readonly month: number;
}

/**
 * Whose bill it is on: S3 bills requests and storage to the owner of the bucket, and what leaves a Region to the owner of
 * what is read there.
 */
export type Payer = 'network' | 'member';

export interface MemberCostLine extends Dollars {
  readonly payer: Payer;
  readonly what: string;
  /** How it comes about. */
  readonly how: string;
}

export interface MemberCost {
  readonly member: string;
  readonly lines: readonly MemberCostLine[];
  readonly sums: Readonly<Record<Payer, Dollars>>;
}

const LOOKS_A_MONTH = 720;
const MONTH_DAYS = 30;
const LAMBDA_GIBIBYTES = 1;
const GIGABYTE = 1e9;

/** `ours`: prices of the vault's Region; `theirs`: of the member's. */
export function memberCost(load: MemberLoad, ours: Prices, theirs: Prices): MemberCost {
  const lines = [...networkLines(load, ours), ...memberLines(load, theirs)];
  const sumOf = (payer: Payer) => {
    const own = lines.filter((line) => line.payer === payer);
    return {
      backfill: own.reduce((sum, { backfill }) => sum + backfill, 0),
      month: own.reduce((sum, { month }) => sum + month, 0),
    };
  };
  return { member: load.member, lines, sums: { network: sumOf('network'), member: sumOf('member') } };
}

/** Once for the history, and for all runs of a month. */
const both = ({ history, run, runsAMonth }: MemberLoad, of: (shipment: Shipment) => number): Dollars => ({
  backfill: of(history),
  month: runsAMonth * of(run),
});

/** A day's share is read in a turn of its own, where nothing else is to be delivered. */
const readingsOf = ({ reads }: MemberLoad): number => (reads ? MONTH_DAYS : 0);

function networkLines(load: MemberLoad, prices: Prices): MemberCostLine[] {
  const { history, run, runsAMonth, onAws, elsewhere } = load;
  const requests = both(load, (shipment) => requestDollars(requestsFor(shipment), prices));
  const looks = onAws ? LOOKS_A_MONTH * requestDollars(MEMBER_REQUESTS.look, prices) : 0;
  const signed = both(load, receiptsOf);
  const month = signed.month + readingsOf(load);
  const perSignature = prices.kmsPer10000Signatures / 10_000;
  const each = `${count(runsAMonth)} runs a month that add ${count(run.objects)} each${onAws ? ', and a look every hour' : ''}`;
  const sent = both(load, ({ bytes }) => bytes / GIGABYTE);
  const perGigabyte = prices.transferPerGigabyteToAnotherRegion;
  return [
    ours('Requests to the vault', `${count(history.objects)} objects; ${each}`, {
      ...{ backfill: requests.backfill, month: requests.month + looks },
    }),
    ...(onAws ? orchestration(load, prices) : []),
    ours('Signatures', `${count(signed.backfill)} receipts, and ${count(month)} a month`, {
      ...{ backfill: signed.backfill * perSignature, month: month * perSignature },
    }),
    ...(elsewhere
      ? [
          ours('Transfer', `to its Region: ${sent.backfill.toFixed(1)} GB, and ${sent.month.toFixed(1)} GB a month`, {
            ...{ backfill: sent.backfill * perGigabyte, month: sent.month * perGigabyte },
          }),
        ]
      : []),
  ];
}

function orchestration(load: MemberLoad, prices: Prices): MemberCostLine[] {
  const readings = readingsOf(load);
  const reading = { manifests: 0, records: 0, files: 0, objects: 0, bytes: 0 };
  const withReadings = (of: (shipment: Shipment) => number): Dollars => {
    const { backfill, month } = both(load, of);
    return { backfill, month: month + readings * of(reading) };
  };
  const [transitions, turns, seconds] = [transitionsOf, turnsOf, secondsOf].map(withReadings) as [
    Dollars,
    Dollars,
    Dollars,
  ];
  const lambda = (kind: keyof Dollars): number =>
    (turns[kind] / 1e6) * prices.lambdaPerMillionCalls +
    seconds[kind] * LAMBDA_GIBIBYTES * prices.lambdaPerGibibyteSecond;
  const perTransition = prices.stepFunctionsPer1000Transitions / 1000;
  return [
    ours('Step Functions', `${count(transitions.backfill)} transitions, and ${count(transitions.month)} a month`, {
      ...{ backfill: transitions.backfill * perTransition, month: transitions.month * perTransition },
    }),
    ours('Lambda', `${count(turns.backfill)} turns, and ${count(turns.month)} a month`, {
      ...{ backfill: lambda('backfill'), month: lambda('month') },
    }),
  ];
}

function memberLines(load: MemberLoad, prices: Prices): MemberCostLine[] {
  const { history, run, runsAMonth, ownKey, reads, elsewhere } = load;
  const [put, held] = [both(load, ({ objects }) => objects), (history.bytes + run.bytes * runsAMonth) / GIGABYTE];
  const theirs = (what: string, how: string, backfill: number, month: number): MemberCostLine => ({
    ...{ payer: 'member', what, how, backfill, month },
  });
  const perPut = prices.s3Per1000Writes / 1000;
  const sentBack = elsewhere ? (history.bytes / GIGABYTE) * prices.transferPerGigabyteToAnotherRegion : 0;
  const aWeek = (history.objects / 1000) * prices.s3Per1000Reads + sentBack;
  const how = `${count(history.objects)} objects a week${elsewhere ? ', sent to the vault’s Region' : ''}`;
  return [
    theirs(
      'Objects put',
      `${count(put.backfill)}, and ${count(put.month)} a month`,
      put.backfill * perPut,
      put.month * perPut,
    ),
    theirs('Storage', `${held.toFixed(1)} GB at the end of the month`, 0, held * prices.s3PerGigabyteMonth),
    ...(ownKey
      ? [theirs('Key', 'one of its own; an S3 Bucket Key keeps its calls few', 0, prices.kmsPerKeyMonth)]
      : []),
    ...(reads ? [theirs('Reading back', how, 0, (MONTH_DAYS / READ_BACK_DAYS) * aWeek)] : []),
  ];
}

const ours = (what: string, how: string, { backfill, month }: Dollars): MemberCostLine => ({
  ...{ payer: 'network', what, how, backfill, month },
});

const requestDollars = (of: { readonly reads: number; readonly writes: number }, prices: Prices): number =>
  (of.reads / 1000) * prices.s3Per1000Reads + (of.writes / 1000) * prices.s3Per1000Writes;

const count = (value: number): string => Math.round(value).toLocaleString('en-US');
