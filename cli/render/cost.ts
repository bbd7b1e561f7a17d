import type { MemberCost } from '../../core/member-cost.ts';
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
        members: cost.members.map(({ member, lines, sums }) => ({
          member,
          lines: lines.map((line) => ({ ...line, backfill: fine(line.backfill), month: fine(line.month) })),
          network: { backfill: fine(sums.network.backfill), month: fine(sums.network.month) },
          own: { backfill: fine(sums.member.backfill), month: fine(sums.member.month) },
        })),
      };

export function costText(cost: MonthlyCost | undefined): string[] {
  if (cost === undefined) return [];
  return [
    '',
    `A month on AWS  about $${dollars(cost.total)}; of it the runs themselves $${dollars(cost.orchestration)}`,
    ...table(cost.lines.map((line) => [`  ${line.what}`, `$${dollars(line.dollars)}`, line.how])),
    ...cost.members.flatMap(memberCostText),
    ...table([['  prices', cost.prices], ...cost.assumptions.map((text) => ['  assumed', text])]),
  ];
}

function memberCostText({ member, lines, sums }: MemberCost): string[] {
  const { network, member: own } = sums;
  return [
    `Member ${member}  we pay $${dollars(network.backfill)} once and $${dollars(network.month)} a month; it pays $${dollars(own.backfill)} once and $${dollars(own.month)} a month`,
    ...table(
      lines.map(({ payer, what, how, backfill, month }) => {
        return [`  ${what}`, payer === 'network' ? 'we' : 'it', `$${dollars(backfill)}`, `$${dollars(month)}`, how];
      }),
    ),
  ];
}

/** A member costs cents: to a hundredth of one. */
const fine = (value: number): number => Math.round(value * 10_000) / 10_000;
const cents = (value: number): number => Math.round(value * 100) / 100;
const dollars = (value: number): string => value.toFixed(2);
