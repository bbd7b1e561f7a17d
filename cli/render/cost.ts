import type { MonthlyCost } from '../cost.ts';
import { table } from './units.ts';

export const costNouns = (cost: MonthlyCost | undefined): object | null =>
  cost === undefined
    ? null
    : {
        ...{ currency: 'USD', per: 'month of 30 days', total: cents(cost.total), prices: cost.prices },
        orchestration: cents(cost.orchestration),
        lines: cost.lines.map((line) => ({ ...line, dollars: cents(line.dollars) })),
        assumptions: cost.assumptions,
      };

export function costText(cost: MonthlyCost | undefined): string[] {
  if (cost === undefined) return [];
  return [
    '',
    `A month on AWS  about $${dollars(cost.total)}; of it the runs themselves $${dollars(cost.orchestration)}`,
    ...table(cost.lines.map((line) => [`  ${line.what}`, `$${dollars(line.dollars)}`, line.how])),
    ...table([['  prices', cost.prices], ...cost.assumptions.map((text) => ['  assumed', text])]),
  ];
}

const cents = (value: number): number => Math.round(value * 100) / 100;
const dollars = (value: number): string => value.toFixed(2);
