import { describe, expect, test } from '@jest/globals';
import { positionsOf } from '../../cli/positions.ts';
import type { Reading } from '../../core/positions.ts';
import { toyProtocol } from '../support/toy-sets.ts';

const known: Reading = { status: 'known', role: 'ledger', identity: 'PAR::a::1220', counters: [] };
const ask = async () => ({});

function protocol(answer: ReturnType<typeof toyProtocol.positions.read>) {
  const sameIdentity = [['identities', 'ledger']] as const;
  return { ...toyProtocol, sameIdentity, positions: { queries: [], read: () => answer } };
}
const part = { component: 'main', role: 'ledger' };

describe('positionsOf', () => {
  test('gives what the protocol reads, doubt included', async () => {
    expect(await positionsOf(protocol(known), part, undefined)(ask)).toBe(known);
    const doubt = { status: 'unknown', reason: 'no such table' } as const;
    expect(await positionsOf(protocol(doubt), part, 'PAR::b::1220')(ask)).toBe(doubt);
  });

  test('refuses a database that surely is another’s', async () => {
    const refused = { status: 'refused', reason: 'it is empty' } as const;
    await expect(positionsOf(protocol(refused), part, undefined)(ask)).rejects.toMatchObject({
      name: 'WrongDatabase',
      kind: 'violation',
    });
    await expect(positionsOf(protocol(known), part, 'PAR::b::1220')(ask)).rejects.toMatchObject({
      name: 'ForeignDatabase',
    });
  });

  test('holds the registered id only against roles whose identity is compared', async () => {
    const app = { component: 'app', role: 'app' };
    expect(await positionsOf(protocol(known), app, 'PAR::b::1220')(ask)).toBe(known);
  });
});
