import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readDump } from '../../../io/postgres/dump-reader.ts';
import { DumpDamaged } from '../../../io/postgres/errors.ts';
import { cut } from '../../support/bytes.ts';

const fixtures = process.env['LEDGERHOLD_FIXTURES'];
const describeWithFixtures =
  fixtures === undefined
    ? (name: string, tests: () => void) => describe.skip(`${name} (LEDGERHOLD_FIXTURES is not set)`, tests)
    : describe;

const load = (name: string) => readFileSync(join(fixtures ?? '', 'canton', name));

interface Positions {
  readonly sequenced_events_max_ts_us: number | null;
  readonly watermark_max_ts_us: number | null;
  readonly block_height_max: number | null;
  readonly lapi_parameters: { readonly ledger_end: string; readonly participant_id: string } | null;
}

describeWithFixtures('dumps of a real Canton network', () => {
  const cases = ['a', 'b'].flatMap((set) =>
    ['participant', 'mediator', 'sequencer'].map((node) => [set, node] as const),
  );
  test.each(cases)('hold the positions that were recorded with them (%s-%s)', async (set, node) => {
    const recorded = (JSON.parse(load('positions.json').toString()) as Record<string, Record<string, Positions>>)[
      set
    ]?.[node];
    const { facts, summary } = await readDump('pg_dump-custom', cut(load(`${set}-${node}.dump`), 65_536), [
      { table: 'lapi_parameters', columns: ['ledger_end', 'participant_id'] },
      { table: 'common_sequenced_events', columns: [], max: 'ts' },
      { table: 'sequencer_watermarks', columns: [], max: 'watermark_ts' },
      { table: 'seq_block_height', columns: [], max: 'height' },
    ]);
    const one = (field: string, value: number | null | undefined) =>
      value === null || value === undefined ? [] : [{ [field]: String(value) }];
    const answer = (rows: unknown[]) => [{ schema: 'public', status: 'rows', rows }];
    expect(summary).toMatchObject({ database: node, entries: 621 });
    expect(facts['sequencer_watermarks']).toEqual(answer(one('watermark_ts', recorded?.watermark_max_ts_us)));
    expect(facts['seq_block_height']).toEqual(answer(one('height', recorded?.block_height_max)));
    if (node === 'sequencer') return;
    expect(facts['common_sequenced_events']).toEqual(answer(one('ts', recorded?.sequenced_events_max_ts_us)));
    const { ledger_end, participant_id } = recorded?.lapi_parameters ?? {};
    expect(facts['lapi_parameters']).toEqual(answer(ledger_end === undefined ? [] : [{ ledger_end, participant_id }]));
  });

  test('are damaged when a third is missing', async () => {
    const bytes = load('a-participant.dump');
    const missing = cut(bytes.subarray(0, (bytes.length * 2) / 3), 65_536);
    await expect(readDump('pg_dump-custom', missing)).rejects.toThrow(DumpDamaged);
  });
});
