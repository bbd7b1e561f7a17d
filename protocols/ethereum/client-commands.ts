import type { FileCompression } from '../../core/chain.ts';
import type { Client } from './clients.ts';

/** Where a client is and what it is given; all paths as they are to stand in a command. */
export interface ClientPlaces {
  readonly binary: string;
  readonly datadir: string;
  readonly genesis: string;
  /** Further words that every command needs, such as `--state.scheme=hash`. */
  readonly args: readonly string[];
}

/** What a client is started with that is only to be asked. */
export interface Isolation {
  /** Ports of loopback. */
  readonly rpc: number;
  readonly engine: number;
  /** File with the contents of `isolation`. */
  readonly config: string;
}

/** How one client is made to hold a chain. Every command is the words of a command line. */
export interface ClientCommands {
  readonly title: string;
  /** What its program is called where nobody says. */
  readonly program: string;
  /** Compressions in which it reads files as they lie. */
  readonly reads: readonly FileCompression[];
  /** What its programs need in the environment unless it is there. */
  readonly environment: Readonly<Record<string, string>>;
  /** Undefined: it makes its database itself, of the genesis that every command names. */
  readonly init: ((places: ClientPlaces) => readonly string[]) | undefined;
  readonly importFile: (places: ClientPlaces, file: string) => readonly string[];
  /** Contents of a configuration that keeps it from listening to others, where no flag does. */
  readonly isolation: string | undefined;
  /** Starts it so that nobody finds it: no peers, no discovery, JSON-RPC with `eth` on one port of loopback. */
  readonly serve: (places: ClientPlaces, alone: Isolation) => readonly string[];
  readonly hazards: readonly string[];
  readonly notInFiles: readonly string[];
  readonly after: readonly string[];
}

const gethWords = ({ binary, datadir, args }: ClientPlaces): string[] => [binary, ...args, '--datadir', datadir];

const gethAlone = ({ rpc, config }: Isolation): string[] => [
  ...['--config', config, '--nodiscover', '--maxpeers', '0', '--nat', 'none', '--ipcdisable'],
  ...['--http', '--http.addr', '127.0.0.1', '--http.port', String(rpc), '--http.api', 'eth,web3'],
];

/** `--port` listens on every address, and there is no flag for one. */
const LISTEN_TO_NOBODY = '[Node.P2P]\nListenAddr = "127.0.0.1:0"\n';

const besuWords = ({ binary, datadir, genesis, args }: ClientPlaces): string[] => [
  ...[binary, ...args, `--data-path=${datadir}`, `--genesis-file=${genesis}`],
];

const besuAlone = ({ rpc }: Isolation): string[] => [
  ...['--p2p-enabled=false', '--discovery-enabled=false', '--rpc-http-enabled', '--rpc-http-host=127.0.0.1'],
  ...[`--rpc-http-port=${rpc}`, '--rpc-http-api=ETH,WEB3', '--host-allowlist=localhost,127.0.0.1'],
];

const ONE_AT_A_TIME =
  'Import one file at a time: of several, a client goes on after one that fails, and so would leave a gap that nobody is told of.';
const KEYS =
  'the node’s keys: nodekey (its identity, and a validator’s right to seal), the keystore, what signs transactions';

const geth: ClientCommands = {
  ...{ title: 'geth', program: 'geth', reads: ['none', 'gzip'], environment: {} },
  init: (places) => [...gethWords(places), 'init', places.genesis],
  importFile: (places, file) => [...gethWords(places), 'import', file],
  isolation: LISTEN_TO_NOBODY,
  serve: (places, alone) => [
    ...[...gethWords(places), ...gethAlone(alone)],
    ...['--authrpc.addr', '127.0.0.1', '--authrpc.port', String(alone.engine)],
  ],
  hazards: [
    ONE_AT_A_TIME,
    'geth leaves out block 0 of a file: the genesis must come from `init`, and one that is not the network’s own shows only as “unknown ancestor” at block 1.',
    'Never import with --nocompaction: geth then ends with status 0 whatever went wrong.',
    'geth takes a file for gzip by its name alone: it must end with .gz if it is, and must not if it is not.',
  ],
  notInFiles: [KEYS, 'receipts and state: made anew, since the import executes every block'],
  after: ['Put the node’s own keys into the data directory, and start it with its network’s flags and peers.'],
};

const quorum: ClientCommands = {
  ...geth,
  title: 'GoQuorum',
  environment: { PRIVATE_CONFIG: 'ignore' },
  serve: (places, alone) => [...gethWords(places), ...gethAlone(alone)],
  hazards: [
    ONE_AT_A_TIME,
    'GoQuorum leaves out block 0 of a file: the genesis must come from `init`, with the validators that the network began with.',
    'If the chain has private transactions, Tessera must run with its own database restored, and PRIVATE_CONFIG must name its socket during the import; with PRIVATE_CONFIG=ignore their private state is not made.',
    'Raft: the files hold no Raft state. A restored node can join the cluster that goes on as a new member (raft.addPeer, a new id); if no member is left, all begin a new cluster from the same files.',
    'Legacy IBFT whose blocks are closer than 5 s: the import ends with “invalid timestamp” unless the genesis has config.ibft in place of config.istanbul. The genesis hash is the same: the config is not part of it.',
  ],
  notInFiles: [
    KEYS,
    'private payloads, and the keys that open them: they are in Tessera’s database, of which the chain holds only hashes',
    'Raft’s state: raft-wal, raft-snap, quorum-raft-state',
    'permissioning files: static-nodes.json, permissioned-nodes.json',
  ],
};

const besu: ClientCommands = {
  ...{ title: 'Besu', program: 'besu', reads: ['none'], environment: {}, init: undefined },
  importFile: (places, file) => [...besuWords(places), 'blocks', 'import', '--format=RLP', `--from=${file}`],
  isolation: undefined,
  serve: (places, alone) => [...besuWords(places), ...besuAlone(alone)],
  hazards: [
    ONE_AT_A_TIME,
    'Besu ends with status 0 after errors in one of several files: the head must be checked, whatever it ends with.',
    'An --end-block that you give yourself is exclusive: to import up to block N write N + 1.',
    'Besu reads plain files only: decompress first.',
  ],
  notInFiles: [
    'the node’s key (the file `key` in its data path): its identity, and a validator’s right to seal',
    'private payloads of Tessera, and Besu’s own state of private transactions',
    'permissions_config.toml, static-nodes.json',
    'receipts and state: made anew, since the import executes every block',
  ],
  after: [
    'Put the node’s own key into the data path before its first start with peers: without one Besu makes a new identity.',
  ],
};

export const CLIENT_COMMANDS: Readonly<Record<Client, ClientCommands>> = { geth, quorum, besu };
