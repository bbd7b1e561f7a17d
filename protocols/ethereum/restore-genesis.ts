import * as z from 'zod';

const Genesis = z.looseObject({ config: z.looseObject({}) });
const LegacyIbft = z.looseObject({ epoch: z.int().min(1).optional() });

/** What to import with. `changed`: it is not the file that the network was made of, and its genesis block is. */
export interface RestoreGenesis {
  readonly genesis: unknown;
  readonly changed: boolean;
}

/** Legacy IBFT's own epoch where its genesis names none. */
const DEFAULT_EPOCH = 30_000;

/**
 * The genesis that GoQuorum imports blocks of legacy IBFT with. With `config.istanbul` it takes blocks to be 5 s apart,
 * whatever its flags say; `config.ibft` says the period itself. No field of the block is touched, so that the genesis
 * hash stays. Any other genesis comes back as it was. `blockPeriodSeconds`: none of the chain's blocks may be closer.
 */
export function restoreGenesis(genesis: unknown, blockPeriodSeconds = 1): RestoreGenesis {
  const parsed = Genesis.safeParse(genesis);
  if (!parsed.success) return { genesis, changed: false };
  const { istanbul, ...config } = parsed.data.config;
  const legacy = LegacyIbft.safeParse(istanbul);
  if (!legacy.success || 'ibft' in config || 'qbft' in config) return { genesis, changed: false };
  const { epoch = DEFAULT_EPOCH, ...rest } = legacy.data;
  const ibft = { epochlength: epoch, blockperiodseconds: blockPeriodSeconds, ...rest };
  return { genesis: { ...parsed.data, config: { ...config, ibft } }, changed: true };
}
