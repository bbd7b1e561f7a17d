import * as z from 'zod';
import type { RlpItem } from './rlp-write.ts';

/** How the value of a field, as JSON-RPC shows it, stands in RLP. Throws a `ZodError` for a value of another form. */
export type FieldCodec = (value: unknown) => RlpItem;
/** The fields of one list, in its order. */
export type Fields = readonly (readonly [name: string, codec: FieldCodec])[];

const Data = z.string().regex(/^0x(?:[0-9a-f]{2})*$/i);
const Quantity = z.string().regex(/^0x[0-9a-f]+$/i);
const Objects = z.array(z.record(z.string(), z.unknown()));

const bytes = (digits: string): Uint8Array => Buffer.from(digits, 'hex');
const data: FieldCodec = (value) => bytes(Data.parse(value).slice(2));

/** Without leading zeros; nothing at all for 0. */
const quantity: FieldCodec = (value) => {
  const digits = Quantity.parse(value).slice(2).replace(/^0+/, '');
  return bytes(digits.length % 2 === 0 ? digits : `0${digits}`);
};

/** Nobody, where a contract is made. */
const recipient: FieldCodec = (value) => (value === null || value === undefined ? bytes('') : data(value));
const dataList: FieldCodec = (value) => z.array(z.unknown()).parse(value).map(data);

/** A list of one of these, from an object that has them by name. */
export const listOf =
  (fields: Fields): FieldCodec =>
  (value) => {
    const object = z.record(z.string(), z.unknown()).parse(value);
    return fields.map(([name, codec]) => codec(object[name]));
  };

export const listsOf =
  (fields: Fields): FieldCodec =>
  (value) =>
    Objects.parse(value).map(listOf(fields));

const all = (codec: FieldCodec, ...names: string[]): Fields => names.map((name) => [name, codec] as const);

/** What every header has; the yellow paper's order. */
export const HEADER: Fields = [
  ...all(data, 'parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'logsBloom'),
  ...all(quantity, 'difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp'),
  ...all(data, 'extraData', 'mixHash', 'nonce'),
];

/** What London, Shanghai, Cancun and Prague added, each behind all before it. */
export const LATER_HEADER: Fields = [
  ...all(quantity, 'baseFeePerGas'),
  ...all(data, 'withdrawalsRoot'),
  ...all(quantity, 'blobGasUsed', 'excessBlobGas'),
  ...all(data, 'parentBeaconBlockRoot', 'requestsHash'),
];

export const WITHDRAWAL: Fields = [
  ...all(quantity, 'index', 'validatorIndex'),
  ...all(data, 'address'),
  ...all(quantity, 'amount'),
];

const CALL: Fields = [...all(quantity, 'gas'), ['to', recipient], ...all(quantity, 'value'), ...all(data, 'input')];
const SIGNED = all(quantity, 'yParity', 'r', 's');
const ACCESS: Fields = [...all(data, 'address'), ...all(dataList, 'storageKeys')];
const ACCESSES: Fields = [['accessList', listsOf(ACCESS)]];
const FEES: Fields = [...all(quantity, 'chainId', 'nonce', 'maxPriorityFeePerGas', 'maxFeePerGas'), ...CALL];
const AUTHORIZATION: Fields = [
  ...all(quantity, 'chainId'),
  ...all(data, 'address'),
  ...all(quantity, 'nonce'),
  ...SIGNED,
];

/** By type, of EIP-2718; 0 is the list alone, private ones of Quorum included: only their `v` is another. */
export const TRANSACTIONS: Readonly<Record<number, Fields>> = {
  0: [...all(quantity, 'nonce', 'gasPrice'), ...CALL, ...all(quantity, 'v', 'r', 's')],
  1: [...all(quantity, 'chainId', 'nonce', 'gasPrice'), ...CALL, ...ACCESSES, ...SIGNED],
  2: [...FEES, ...ACCESSES, ...SIGNED],
  3: [...FEES, ...ACCESSES, ...all(quantity, 'maxFeePerBlobGas'), ...all(dataList, 'blobVersionedHashes'), ...SIGNED],
  4: [...FEES, ...ACCESSES, ['authorizationList', listsOf(AUTHORIZATION)], ...SIGNED],
};
