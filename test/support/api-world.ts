import { type MemberAct, MemberId } from '../../core/members.ts';
import { Instant, NetworkName } from '../../core/names.ts';
import type { ApiPorts } from '../../lambdas/member-api/call.ts';
import { run } from '../../lambdas/member-api/run.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { apiEvent, type Signed } from './api-event.ts';

export const OPERATOR: Signed = { account: '111111111111' };
export const BANK_A: Signed = { account: '222222222222' };
export const BANK_B: Signed = { account: '333333333333' };
export const STRANGER: Signed = { account: '999999999999' };

/** The API over a vault in memory, in a network of two members and one chain that is switched off. */
export function apiWorld() {
  const vault = new MemoryVault();
  let now = Date.parse('2026-11-01T00:00:00Z');
  const failures: unknown[] = [];
  const started: string[] = [];
  const ports: ApiPorts = {
    ...{ vault, clock: { now: () => new Date(now) }, network: NetworkName.parse('acme') },
    deliveries: {
      start: async (name) => {
        started.push(name);
        return name;
      },
    },
    journal: { note: () => {}, failure: (_what, _about, error) => failures.push(error) },
    ...{ operator: OPERATOR.account, vaultBucket: 'acme-vault' },
    members: { [MemberId.parse('bank-a')]: BANK_A.account, [MemberId.parse('bank-b')]: BANK_B.account },
    downloads: { urlOf: async (key, seconds) => `https://vault.invalid/${key}?for=${seconds}` },
    chains: { consortium: { enabled: false, timesADay: 4 } },
  };
  return {
    ...{ vault, ports, failures, started },
    later: (seconds: number) => {
      now += seconds * 1000;
    },
    setClock: (to: Date) => {
      now = to.getTime();
    },
    call: async (signed: Signed | undefined, method: string, url: string, body?: unknown) => {
      const { statusCode, body: text } = await run(apiEvent(signed, method, url, body), ports);
      return { status: statusCode, json: JSON.parse(text) };
    },
  };
}

/** The registry as the operator's own commands act on it. */
export const registryOf = ({ ports }: ReturnType<typeof apiWorld>) => ({ ...ports, by: 'the operator' });

/** A check that finds nothing. */
export const SOUND: MemberAct = {
  what: 'check',
  report: { at: Instant.parse('2026-11-01T00:00:00.000Z'), faults: [] },
};
