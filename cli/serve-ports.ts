import { everySecondsOf, initialSettings } from '../config/every.ts';
import type { EthereumNode } from '../config/nodes.ts';
import { payloadNodeOf } from '../config/payloads.ts';
import { readSecret } from '../config/secrets.ts';
import { dueSlot, everySecondsOf as settingsEvery } from '../core/chain-settings.ts';
import { LedgerholdError } from '../core/errors.ts';
import { schedule } from '../core/schedule.ts';
import type { Vault } from '../core/vault.ts';
import { guardedHttp } from '../io/http.ts';
import { outboundTo } from '../io/http-guard.ts';
import { type AlarmBoard, alarmBoard, type Channel } from '../local/alarm-board.ts';
import type { Expectation, ServedNode } from '../local/expectation.ts';
import { commandChannel, ping, webhookChannel } from '../local/notify.ts';
import type { ServePorts } from '../local/serve.ts';
import { alarmOfRun, reasonOf } from '../local/slot-work.ts';
import { pause } from '../local/timers.ts';
import { newestProven } from '../vault/newest.ts';
import { newestSigned } from '../vault/newest-history.ts';
import { currentSettings } from '../vault/settings.ts';
import { trustFrom } from '../vault/trust.ts';
import { type Loaded, nodeNamed, openSigner } from './context.ts';
import { Interrupted } from './exit-codes.ts';
import { openRegistry } from './members.ts';
import { prepareNode } from './nodes.ts';
import { memberTurns } from './serve-delivery.ts';
import { type StepsWorld, slotSteps } from './serve-steps.ts';
import type { Shell } from './shell.ts';
import { refuseSnapshots } from './snapshot-sources.ts';
import { PROCESS_GONE, standingOf } from './standing.ts';
import { UsageError } from './usage-error.ts';
import { openVault } from './vaults.ts';

/** What `serve` works with. The config is that of the start. */
export interface Served {
  readonly nodes: readonly ServedNode[];
  readonly ports: ServePorts;
}

/** Rejects with what is wrong in the config before anything is called. */
export async function served(shell: Shell, loaded: Loaded): Promise<Served> {
  const { config, path } = loaded;
  const vault = await openVault(config.vault, path);
  const nodes = await servedNodes(loaded, vault);
  await openSigner(loaded);
  const world = { shell, loaded, vault };
  const steps = await slotSteps(world);
  const { clock, warn } = shell;
  const alarms = alarmBoard({ network: config.network, clock, channels: channelsOf(world), warn });
  await adoptFailures(world, nodes, alarms);
  const ports = { clock, pause, log: shell.note, provenSince: (...asked: Asked) => provenSince(world, ...asked) };
  const deliver = memberTurns({ open: () => openRegistry(shell, loaded), note: shell.note, alarms });
  return { nodes, ports: { steps, alarms, deliver, ...ports, ...pings(loaded) } };
}

async function servedNodes(loaded: Loaded, vault: Vault): Promise<ServedNode[]> {
  const nodes: ServedNode[] = [];
  // A chain that the configuration has switched off may be switched on in the vault, and without a restart.
  for (const each of loaded.config.nodes.filter(({ enabled, protocol }) => enabled || protocol === 'ethereum')) {
    if (each.protocol === 'ethereum') {
      const { timeZone } = loaded.config;
      const expect = (now: Date) => expected(vault, each, timeZone, now);
      nodes.push({ name: each.name, schedule: schedule(everySecondsOf(each), timeZone), expect });
      continue;
    }
    const prepared = await prepareNode(loaded, each);
    refuseSnapshots(prepared);
    const { name } = prepared.node;
    nodes.push({ name, schedule: schedule(everySecondsOf(prepared.node), loaded.config.timeZone) });
  }
  if (nodes.length > 0) return nodes;
  throw new UsageError('no node of the config is enabled', 'Take `enabled: false` out of one of them.');
}

async function expected(vault: Vault, node: EthereumNode, timeZone: string, now: Date): Promise<Expectation> {
  const settings = await currentSettings(vault, node.name, initialSettings(node));
  const { enabled, since } = settings;
  const [slot, every] = [dueSlot(settings, timeZone, now), schedule(settingsEvery(settings), timeZone)];
  return { enabled, schedule: every, slot, since: since === null ? undefined : new Date(since) };
}

type Asked = Parameters<ServePorts['provenSince']>;

async function provenSince({ vault, loaded }: StepsWorld, ...[node, since]: Asked): Promise<Date | undefined> {
  const trust = await trustFrom(vault, [await (await openSigner(loaded)).publicKeyPem()]);
  const meant = nodeNamed(loaded.config, node);
  const payloads = payloadNodeOf(meant);
  const manifests = [
    await (meant.protocol === 'ethereum' ? newestSigned : newestProven)(vault, node, trust, since),
    ...(payloads === undefined ? [] : [await newestProven(vault, payloads.name, trust, since)]),
  ];
  // A chain is as fresh as what lies further back of it and of its payloads.
  const times = manifests.map((manifest) =>
    manifest === undefined ? Number.NaN : Date.parse(manifest.value.sealedAt),
  );
  const oldest = Math.min(...times);
  return Number.isNaN(oldest) ? undefined : new Date(oldest);
}

function channelsOf({ shell, loaded }: StepsWorld): Channel[] {
  const { command, webhook } = loaded.config.notify ?? {};
  const channels: Channel[] = [];
  if (command !== undefined) channels.push(commandChannel({ argv: command, cwd: loaded.path('.'), env: shell.env }));
  if (webhook !== undefined) {
    const { url, secret } = webhook;
    const key = secret === undefined ? {} : { secret: () => readSecret(secret, loaded.secrets) };
    channels.push(webhookChannel({ url, http: httpTo(url), clock: shell.clock, pause, ...key }));
  }
  return channels;
}

function pings({ config }: Loaded): Pick<ServePorts, 'ping' | 'pingSeconds'> {
  const { deadMansSwitch } = config.notify ?? {};
  if (deadMansSwitch === undefined) return { ping: async () => {} };
  const { url, every } = deadMansSwitch;
  const http = httpTo(url);
  return {
    ping: (signal) => ping({ url, http, pause }, signal),
    ...(every !== undefined && { pingSeconds: every }),
  };
}

const httpTo = (url: string) => guardedHttp(outboundTo([url]));

/** What the vault says failed before this process began was told then; the end of it is ours to tell. */
async function adoptFailures(world: StepsWorld, nodes: readonly ServedNode[], alarms: AlarmBoard): Promise<void> {
  for (const { name } of nodes) {
    const payloads = payloadNodeOf(nodeNamed(world.loaded.config, name));
    const failed = (await lastFailure(world, name)) ?? (payloads && (await lastFailure(world, payloads.name)));
    // An interruption was no alarm, and a process that was killed told nobody.
    if (failed === undefined || [Interrupted.name, PROCESS_GONE].includes(failed.error)) continue;
    alarms.adopt(alarmOfRun(failed.error), name, reasonOf(failed.slot, failed.error));
  }
}

/** Undefined also where the vault cannot tell: the first run will, as a failure of its own. */
async function lastFailure({ shell, vault }: StepsWorld, node: string) {
  try {
    const { failed } = await standingOf(vault, node, shell.clock.now());
    return failed?.error === undefined ? undefined : { slot: failed.slot, error: failed.error.name };
  } catch (error) {
    if (!(error instanceof LedgerholdError)) throw error;
    shell.warn(`${node}: its last failure cannot be read: ${error.message}`);
    return undefined;
  }
}
