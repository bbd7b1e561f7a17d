import { MOST_IN_A_RECEIPT } from './delivery.ts';

/** What is put into a member's share. Sizes in bytes. */
export interface Shipment {
  readonly manifests: number;
  /** One for each file of the history, whether the file is put there or not. */
  readonly records: number;
  readonly files: number;
  /** Files, their records, agreements, manifests and signatures. */
  readonly objects: number;
  readonly bytes: number;
}

/** What is not known beforehand. */
export const ASSUMED_OF_MEMBERS = {
  /** Copies within S3 that a turn makes in a second, 32 at once. */
  objectsPerSecond: 50,
  /** Of a turn, whatever it delivers. */
  turnSeconds: 5,
} as const;

/**
 * Requests to the vault for one member; a test counts them. LIST has the price of PUT, and S3 lists to see that a key is
 * there.
 */
export const MEMBER_REQUESTS = {
  /** Of a member that has something already, as all but one turn find it; manifests that are not there yet among it. */
  turn: { reads: 14, writes: 13 },
  /** The manifest, its agreement and signature. */
  manifest: { reads: 3, writes: 0 },
  record: { reads: 1, writes: 0 },
  /** How large it is before it is copied. */
  file: { reads: 1, writes: 0 },
  /** With its signature; and the key, which is there. */
  receipt: { reads: 0, writes: 3 },
  /** Of the hourly look who lacks something. */
  look: { reads: 8, writes: 7 },
} as const;

/**
 * How long a turn of a deployed delivery begins objects. Of the 14 minutes that a call has it leaves the last ones some:
 * those of 5 GiB and more are copied in parts.
 */
export const TURN_SECONDS = 9 * 60;

export const turnsOf = ({ objects }: Shipment): number =>
  Math.max(1, Math.ceil(objects / ASSUMED_OF_MEMBERS.objectsPerSecond / TURN_SECONDS));

export const secondsOf = ({ objects }: Shipment): number =>
  objects / ASSUMED_OF_MEMBERS.objectsPerSecond + ASSUMED_OF_MEMBERS.turnSeconds;

/** A receipt is written when it is half full, or when a turn ends. */
export const receiptsOf = ({ objects }: Shipment): number => Math.ceil(objects / (MOST_IN_A_RECEIPT / 2));

/** States entered: three by an execution of one turn, two by each further turn; a test holds them to the definition. */
export const transitionsOf = (shipment: Shipment): number => 3 + 2 * (turnsOf(shipment) - 1);

/** Reads and writes of the vault for one shipment. */
export function requestsFor(shipment: Shipment): { readonly reads: number; readonly writes: number } {
  const { turn, manifest, record, file, receipt } = MEMBER_REQUESTS;
  const of = (kind: 'reads' | 'writes') =>
    turnsOf(shipment) * turn[kind] +
    shipment.manifests * manifest[kind] +
    shipment.records * record[kind] +
    shipment.files * file[kind] +
    receiptsOf(shipment) * receipt[kind];
  return { reads: of('reads'), writes: of('writes') };
}
