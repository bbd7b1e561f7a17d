import { RLP } from '@ethereumjs/rlp';

/** A block as `eth_getBlockByNumber` shows it, decoded by other people's RLP. */
export function blockJson(bytes: Uint8Array, hash: string, full: boolean): Record<string, unknown> {
  const [header, transactions, ommers, withdrawals] = RLP.decode(bytes) as unknown as [
    Raw[],
    Item[],
    Raw[][],
    Raw[][]?,
  ];
  return {
    ...headerJson(header),
    hash,
    size: quantity(Buffer.from(bytes.length.toString(16).padStart(8, '0'), 'hex')),
    transactions: transactions.map((one, index) =>
      full ? transactionJson(one) : `0x${String(index).padStart(64, '0')}`,
    ),
    uncles: ommers.map((_, index) => `0x${String(index).padStart(64, 'f')}`),
    ...(withdrawals === undefined ? {} : { withdrawals: withdrawals.map(named(WITHDRAWAL)) }),
  };
}

export function ommerJson(bytes: Uint8Array, index: number): Record<string, unknown> | null {
  const [, , ommers] = RLP.decode(bytes) as unknown as [Raw[], Item[], Raw[][]];
  const ommer = ommers[index];
  return ommer === undefined ? null : { ...headerJson(ommer), uncles: [] };
}

type Raw = Uint8Array;
type Item = Raw | Raw[];
type Field = readonly [name: string, show: (item: never) => unknown];

const data = (item: Raw): string => `0x${Buffer.from(item).toString('hex')}`;
const quantity = (item: Raw): string => `0x${data(item).slice(2).replace(/^0+/, '') || '0'}`;
const recipient = (item: Raw): string | null => (item.length === 0 ? null : data(item));
const accesses = (list: [Raw, Raw[]][]) =>
  list.map(([address, keys]) => ({ address: data(address), storageKeys: keys.map(data) }));
const hashes = (list: Raw[]) => list.map(data);

const named =
  (fields: readonly Field[]) =>
  (items: readonly unknown[]): Record<string, unknown> =>
    Object.fromEntries(
      fields.flatMap(([name, show], at) => (at < items.length ? [[name, show(items[at] as never)]] : [])),
    );

const HEADER: readonly Field[] = [
  ...(['parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'logsBloom'] as const).map(
    (name) => [name, data] as const,
  ),
  ...(['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp'] as const).map((name) => [name, quantity] as const),
  ...(['extraData', 'mixHash', 'nonce'] as const).map((name) => [name, data] as const),
  ['baseFeePerGas', quantity],
  ['withdrawalsRoot', data],
  ['blobGasUsed', quantity],
  ['excessBlobGas', quantity],
  ['parentBeaconBlockRoot', data],
  ['requestsHash', data],
];
const headerJson = named(HEADER);

const WITHDRAWAL: readonly Field[] = [
  ['index', quantity],
  ['validatorIndex', quantity],
  ['address', data],
  ['amount', quantity],
];

const q = (name: string): Field => [name, quantity];
const CALL: readonly Field[] = [q('gas'), ['to', recipient], q('value'), ['input', data]];
const FEES: readonly Field[] = [q('chainId'), q('nonce'), q('maxPriorityFeePerGas'), q('maxFeePerGas'), ...CALL];
const ACCESS: Field = ['accessList', accesses];
const SIGNED: readonly Field[] = [q('yParity'), q('r'), q('s')];
const AUTHORIZATION = named([q('chainId'), ['address', data], q('nonce'), ...SIGNED]);

/** By type; a legacy transaction is of none. */
const TRANSACTIONS: Readonly<Record<number, readonly Field[]>> = {
  1: [q('chainId'), q('nonce'), q('gasPrice'), ...CALL, ACCESS, ...SIGNED],
  2: [...FEES, ACCESS, ...SIGNED],
  3: [...FEES, ACCESS, q('maxFeePerBlobGas'), ['blobVersionedHashes', hashes], ...SIGNED],
  4: [...FEES, ACCESS, ['authorizationList', (list: Raw[][]) => list.map(AUTHORIZATION)], ...SIGNED],
};
const LEGACY: readonly Field[] = [q('nonce'), q('gasPrice'), ...CALL, q('v'), q('r'), q('s')];

function transactionJson(item: Item): Record<string, unknown> {
  if (Array.isArray(item)) return { type: '0x0', ...named(LEGACY)(item) };
  const type = item[0] ?? 0;
  const fields = TRANSACTIONS[type];
  if (fields === undefined) return { type: `0x${type.toString(16)}` };
  const shown = named(fields)(RLP.decode(item.subarray(1)) as Raw[]);
  return { type: `0x${type.toString(16)}`, ...shown, v: shown['yParity'] };
}
