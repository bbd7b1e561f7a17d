import type { ChainSettings } from '../../core/chain-settings.ts';
import { ApiRefused, DOWNLOAD_SECONDS, type RouteId } from '../../core/member-api.ts';
import { chainProgress } from '../../vault/chain-progress.ts';
import { listedObject } from '../../vault/listed-object.ts';
import { nodesIn } from '../../vault/sets.ts';
import { readSettings, setChain } from '../../vault/settings.ts';
import type { Act, ApiPorts, Call } from './call.ts';
import { historyPage } from './pages.ts';

type NodeRoute = Extract<RouteId, 'getBackup' | 'putBackup' | 'patchBackup' | 'getNodeHistory' | 'getDownload'>;

/** What the operator sees and sets of a chain's backup, and gets of its history. */
export const nodeActs: { readonly [Id in NodeRoute]: Act<Id> } = {
  getBackup: ({ id }, ports) => view(id, ports),
  putBackup: (call, ports) => set(call, call.body, ports),
  patchBackup: (call, ports) => set(call, call.body, ports),
  getNodeHistory: async ({ id, query: { after } }, ports) => historyPage(ports.vault, await chainOf(id, ports), after),
  getDownload: async ({ id, query: { seq, key } }, ports) => {
    const listed = await listedObject(ports.vault, await chainOf(id, ports), seq, key);
    if (listed === undefined) {
      const remedy = `GET /nodes/${id}/history lists what there is, each key with the \`seq\` of its manifest.`;
      throw new ApiRefused('NoSuchFile', `manifest ${seq} of ${id} lists no ${key}`, remedy);
    }
    const expiresAt = new Date(ports.clock.now().getTime() + DOWNLOAD_SECONDS * 1000).toISOString();
    return { ...listed, url: await ports.downloads.urlOf(key, DOWNLOAD_SECONDS), expiresAt };
  },
};

/** One that the configuration has, or that the vault has a history of. Rejects with `ApiRefused`. */
async function chainOf(node: string, { vault, chains }: ApiPorts): Promise<string> {
  if (Object.hasOwn(chains, node) || (await nodesIn(vault, 'chain')).includes(node)) return node;
  throw new ApiRefused('NoSuchNode', 'there is no chain of this name', 'Name a chain of the network.');
}

async function set({ id, by }: Call, change: Parameters<typeof setChain>[3], ports: ApiPorts) {
  await setChain({ ...ports, by }, id, initialOf(id, ports), change);
  return view(id, ports);
}

async function view(node: string, ports: ApiPorts) {
  const { vault, clock } = ports;
  const initial = initialOf(node, ports);
  const stored = (await readSettings(vault, node))?.value;
  const { enabled, timesADay } = stored ?? initial;
  const set = { version: stored?.n ?? 0, at: stored?.at ?? null, by: stored?.by ?? null };
  return { node, enabled, timesADay, ...set, inProgress: (await chainProgress(vault, node, clock.now())) ?? null };
}

/** What the configuration says. Throws `ApiRefused`: it has no such chain. */
function initialOf(node: string, { chains }: ApiPorts): ChainSettings {
  const initial = Object.hasOwn(chains, node) ? chains[node] : undefined;
  if (initial !== undefined) return initial;
  throw new ApiRefused('NoSuchNode', 'the configuration has no chain of this name', 'Name a chain of the network.');
}
