import type { ChainSettings } from '../../core/chain-settings.ts';
import { ApiRefused, type RouteId } from '../../core/member-api.ts';
import { chainProgress } from '../../vault/chain-progress.ts';
import { readSettings, setChain } from '../../vault/settings.ts';
import type { Act, ApiPorts, Call } from './call.ts';

/** What the operator sees and sets of a chain's backup. */
export const nodeActs: { readonly [Id in Extract<RouteId, 'getBackup' | 'putBackup' | 'patchBackup'>]: Act<Id> } = {
  getBackup: ({ id }, ports) => view(id, ports),
  putBackup: (call, ports) => set(call, call.body, ports),
  patchBackup: (call, ports) => set(call, call.body, ports),
};

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
