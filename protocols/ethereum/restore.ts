import type { FileCompression } from '../../core/chain.ts';
import type { PlannedChainFile } from '../../core/chain-restore-plan.ts';
import { quote } from '../../core/deployments.ts';
import type { Command } from '../../core/restore-plan.ts';
import { CLIENT_COMMANDS, type ClientCommands, type ClientPlaces } from './client-commands.ts';
import type { Client } from './clients.ts';

/** What a restore by hand is written down from. */
export interface ManualRestore {
  readonly client: Client;
  readonly files: readonly PlannedChainFile[];
  readonly places: ClientPlaces;
  /** A folder of one's own: what is fetched and decompressed lies there for one file at a time. */
  readonly work: string;
  /** Where an object of the vault lies: a path, or `s3://bucket/key`. */
  readonly placeOf: (key: string) => string;
}

/** Every command of a restore by hand, in order, one file at a time. */
export function manualSteps(restore: ManualRestore): Command[] {
  const { client, files, places } = restore;
  const { init } = CLIENT_COMMANDS[client];
  const made =
    init === undefined
      ? []
      : [{ run: shellLine(init(places), client), why: 'make an empty chain of the same genesis' }];
  const steps = files.flatMap((file) => fileSteps(file, restore));
  const room = steps.some(({ run }) => run.startsWith('rm '))
    ? [{ run: shellLine(['mkdir', '-p', restore.work]), why: 'a folder for one file at a time' }]
    : [];
  return [...made, ...room, ...steps];
}

function fileSteps(planned: PlannedChainFile, { client, places, work, placeOf }: ManualRestore): Command[] {
  const { file, start, end } = planned;
  const at = placeOf(planned.key);
  const remote = at.startsWith('s3://');
  const here = remote ? `${work}/${file.name}` : at;
  const commands = CLIENT_COMMANDS[client];
  const plain = `${work}/blocks.rlp`;
  const asItLies = commands.reads.includes(file.compression);
  const leftovers = [...(remote ? [here] : []), ...(asItLies ? [] : [plain])];
  const blocks = `blocks ${start} to ${end}`;
  return [
    ...(remote ? [{ run: shellLine(['aws', 's3', 'cp', at, here]), why: `${blocks}: fetch the file` }] : []),
    {
      run: `echo ${quote(`${file.sha256}  ${here}`)} | sha256sum --check --strict -`,
      why: `${blocks}: it must be the very file that was sealed`,
    },
    ...(asItLies
      ? []
      : [
          { run: decompress(file.compression, here, plain), why: `${blocks}: ${commands.title} reads it decompressed` },
        ]),
    {
      run: shellLine(commands.importFile(places, asItLies ? here : plain), client),
      why: `${blocks}: import; stop here if its status is not 0`,
    },
    ...(leftovers.length === 0
      ? []
      : [{ run: shellLine(['rm', ...leftovers]), why: `${blocks}: make room for the next` }]),
  ];
}

function decompress(compression: FileCompression, from: string, to: string): string {
  const words = compression === 'gzip' ? ['gzip', '-dc', from] : ['zstd', '-dc', '--long=31', from];
  return `${shellLine(words)} > ${quote(to)}`;
}

/** A line for a POSIX shell; with what the client needs in its environment, unless the caller has it already. */
function shellLine(words: readonly string[], client?: Client): string {
  const environment = client === undefined ? {} : CLIENT_COMMANDS[client].environment;
  const set = Object.entries(environment).map(([name, value]) => `${name}="\${${name}:-${value}}"`);
  return [...set, ...words.map(quote)].join(' ');
}

/** Files that are imported together: consecutive ones, in order. */
export interface ImportBatch<T> {
  readonly files: readonly [T, ...T[]];
  readonly blockBytes: number;
}

/**
 * Consecutive files joined until they are `most` bytes of blocks, or one that is more by itself: blocks follow each other
 * in a file as files do, and every import costs the start of the client and, of geth, a compaction of its database.
 */
export function importBatches<T extends { readonly file: { readonly blockBytes: number } }>(
  files: readonly T[],
  most: number,
): ImportBatch<T>[] {
  const batches: ImportBatch<T>[] = [];
  for (const each of files) {
    const before = batches.at(-1);
    const bytes = each.file.blockBytes;
    if (before !== undefined && before.blockBytes + bytes <= most) {
      batches[batches.length - 1] = { files: [...before.files, each], blockBytes: before.blockBytes + bytes };
    } else {
      batches.push({ files: [each], blockBytes: bytes });
    }
  }
  return batches;
}

/** Hazards of a client, and those of what is restored. */
export const hazardsOf = ({ hazards }: ClientCommands, genesisChanged: boolean): string[] => [
  ...hazards,
  ...(genesisChanged
    ? [
        'The genesis that the steps name was written for the import alone: `init` once more with the network’s own, if the node is to start with that.',
      ]
    : []),
];
