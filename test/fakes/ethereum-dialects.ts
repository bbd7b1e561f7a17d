import type { RpcError } from './block-faults.ts';

export type Dialect = 'geth' | 'quorum' | 'besu' | 'json-only';

export interface Behaviour {
  readonly version: string;
  readonly raw?: {
    readonly method: string;
    /** Before the hexadecimal digits of an answer. */
    readonly prefix: string;
    /** Of a parameter; undefined for one that it does not take. */
    readonly numberOf: (parameter: unknown) => number | undefined;
  };
  /** For a block that it does not have. */
  readonly absent: (number: number) => object;
  /** Does it know the tag `finalized`? */
  readonly tags: boolean;
  readonly noFinalized: RpcError;
  readonly badArgument: RpcError;
  /** Most calls in a request, and what more of them are answered, in an array or bare. */
  readonly items: number;
  readonly tooMany: RpcError;
  readonly refusesInArray: boolean;
}

const fromHex = (parameter: unknown): number | undefined =>
  typeof parameter === 'string' && /^0x[0-9a-f]+$/.test(parameter) ? Number(parameter) : undefined;

const GETH: Behaviour = {
  version: 'Geth/v1.17.8-stable/linux-amd64/go1.26.0',
  raw: { method: 'debug_getRawBlock', prefix: '0x', numberOf: fromHex },
  absent: () => ({ result: '0x' }),
  tags: true,
  noFinalized: { code: -32000, message: 'finalized block not found' },
  badArgument: { code: -32602, message: 'invalid argument 0: hex string without 0x prefix' },
  items: 1000,
  tooMany: { code: -32600, message: 'batch too large' },
  refusesInArray: true,
};

export const DIALECTS: Readonly<Record<Dialect, Behaviour>> = {
  geth: GETH,
  quorum: {
    ...GETH,
    version: 'Geth/v1.10.3-stable(quorum-v24.4.1)/linux-amd64/go1.20.14',
    raw: {
      method: 'debug_getBlockRlp',
      prefix: '',
      numberOf: (parameter) => (Number.isSafeInteger(parameter) ? (parameter as number) : undefined),
    },
    absent: (number) => ({ error: { code: -32000, message: `block #${number} not found` } }),
    tags: false,
    noFinalized: GETH.badArgument,
    items: Number.POSITIVE_INFINITY,
  },
  besu: {
    ...GETH,
    version: 'besu/v25.9.0/linux-x86_64/openjdk-java-21',
    absent: () => ({ result: null }),
    noFinalized: { code: -39001, message: 'Unknown block' },
    items: 1024,
    tooMany: { code: -32005, message: 'Number of requests in batch exceeds limit' },
    refusesInArray: false,
  },
  /** A node whose `debug` methods nobody may call. */
  'json-only': { ...withoutRaw(GETH), version: 'Proxy/v1' },
};

function withoutRaw({ raw: _, ...others }: Behaviour): Behaviour {
  return others;
}
