import { type Command, Option } from 'commander';
import { HASH_RULES } from '../../protocols/ethereum/hash-rules.ts';
import type { Act } from '../shell.ts';
import { type ChainVerifyFlags, chainVerify } from './chain-verify.ts';

export function define(command: Command, act: Act): void {
  command
    .command('verify')
    .description('prove every block of files that any Ethereum client exported, together one history, offline')
    .argument('<file...>', 'plain, gzip or zstd, in the order of the history')
    .option('--after <hash>', 'the block that the first file follows')
    .option('--expect-head <hash>', 'the last block of the last file; finds a removed tail')
    .addOption(
      new Option('--rule <rule>', 'how a block’s hash follows from its header; auto: each header tells')
        .choices(['auto', ...HASH_RULES])
        .default('auto'),
    )
    .action(act<ChainVerifyFlags>(chainVerify));
}
