import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { payloadNodeName } from '../../config/payloads.ts';
import { type ChainRecord, endOf } from '../../core/chain.ts';
import type { ChainRestorePlan, PlannedChainFile } from '../../core/chain-restore-plan.ts';
import type { Acceptable } from '../../core/choose-set.ts';
import { Instant, setId } from '../../core/names.ts';
import type { Vault } from '../../core/vault.ts';
import { refuseDoubt, type SoundHistory, soundHistory } from '../../local/sound-history.ts';
import { CLIENT_COMMANDS } from '../../protocols/ethereum/client-commands.ts';
import { hazardsOf, manualSteps } from '../../protocols/ethereum/restore.ts';
import { restoreGenesis } from '../../protocols/ethereum/restore-genesis.ts';
import { chainFileKey } from '../../vault/layout.ts';
import { nodesIn } from '../../vault/sets.ts';
import { readGenesis } from '../chain-restore.ts';
import { type ClientFlags, type ClientSettings, clientSettings } from '../chain-settings.ts';
import type { Loaded } from '../context.ts';
import { writeNew, writePlan } from '../plan-file.ts';
import { chainPlanNouns, chainPlanText } from '../render/chain-restore.ts';
import type { Outcome, Shell } from '../shell.ts';
import { publicKeysMeant, type TrustFlags } from '../trust.ts';

export interface ChainPlanFlags extends TrustFlags, ClientFlags {
  readonly datadir?: string;
  readonly out?: string;
  readonly accept?: readonly Acceptable[];
}

/** Reads the vault and the config; starts nothing. The plan is written to a file, and the genesis if it is another one. */
export async function restoreChainPlan(
  shell: Shell,
  flags: ChainPlanFlags,
  node: string,
  vault: Vault,
  loaded: Loaded | undefined,
): Promise<Outcome> {
  const publicKeys = await publicKeysMeant(shell, flags);
  const history = await soundHistory(node, { vault, publicKeys, signal: shell.signal });
  if (flags.accept?.includes('unproven') !== true) refuseDoubt(history);
  const { seq } = history.head.value;
  const file = flags.out ?? `restore-${node}-${seq}.json`;
  const settings = await clientSettings(flags, shell.cwd, loaded, node, async () => history.records.at(-1));
  const changed = await writeRestoreGenesis(
    settings,
    resolve(shell.cwd, `${file.replace(/\.json$/, '')}-genesis.json`),
  );
  const plan = planOf(
    history,
    vault,
    { ...settings, genesis: changed ?? settings.genesis },
    {
      ...{ datadir: flags.datadir, changed: changed !== undefined, now: shell.clock.now() },
      payloads: (await nodesIn(vault)).find((each) => each === payloadNodeName(node)),
    },
  );
  await writePlan(resolve(shell.cwd, file), plan);
  const told = { plan, file, ...(changed !== undefined && { genesis: changed }), now: shell.clock.now() };
  return { exit: 0, code: 'PLANNED', nouns: chainPlanNouns(told), text: chainPlanText(told) };
}

/** Undefined: the client imports with the genesis as it is, or nobody has named it. */
async function writeRestoreGenesis({ client, genesis }: ClientSettings, file: string): Promise<string | undefined> {
  if (client !== 'quorum' || genesis === undefined) return undefined;
  const restored = restoreGenesis(await readGenesis(genesis));
  if (!restored.changed) return undefined;
  await writeNew(file, `${JSON.stringify(restored.genesis, undefined, 2)}\n`);
  return file;
}

interface PlanDetails {
  readonly datadir: string | undefined;
  /** Is the genesis written for the import alone? */
  readonly changed: boolean;
  readonly now: Date;
  /** Under which name the vault holds sets of the chain's private payloads. */
  readonly payloads: string | undefined;
}

function planOf(
  { head, records, doubts }: SoundHistory,
  vault: Vault,
  { client, binary, genesis, args }: ClientSettings,
  { datadir = 'DATADIR', changed, now, payloads }: PlanDetails,
): ChainRestorePlan {
  const { network, node, protocol, seq, slot, sealedAt } = head.value;
  const files = records.map(plannedFile);
  const end = endOf(records.at(-1));
  if (end === null) throw new TypeError('a sound history has a record');
  const commands = CLIENT_COMMANDS[client];
  const places = { binary, datadir, genesis: genesis ?? 'GENESIS', args };
  const manual = { client, files, places, work: `${datadir}-work`, placeOf: placesIn(vault.url) };
  return {
    format: 'ledgerhold/chain-restore-plan/1',
    ...{ createdAt: Instant.parse(now.toISOString()), vault: vault.url, network, node, protocol, client },
    ...{ set: setId(node, seq), seq, slot, sealedAt, manifest: head.sha256, head: end },
    accepted: doubts.map((why) => ({ hazard: 'unproven' as const, why })),
    files,
    ...(genesis !== undefined && { genesis }),
    ...{ binary, args: [...args], steps: manualSteps(manual) },
    hazards: [...hazardsOf(commands, changed), ...(payloads === undefined ? [] : [payloadsFirst(payloads)])],
    ...{ notInFiles: [...commands.notInFiles], after: [...commands.after] },
  };
}

const payloadsFirst = (name: string): string =>
  `The private payloads are in the sets of ${name}: restore those first (\`ledgerhold restore plan --node ${name}\`), put Tessera’s keys into place, and start it before the import.`;

const plannedFile = ({ node, file, start, end }: ChainRecord): PlannedChainFile => ({
  ...{ key: chainFileKey(node, file.name), file, start: start.number, end: end.number },
});

const placesIn = (url: string) => (key: string) =>
  url.startsWith('file:') ? join(fileURLToPath(url), key) : `${url.replace(/\?.*$/, '').replace(/\/$/, '')}/${key}`;
