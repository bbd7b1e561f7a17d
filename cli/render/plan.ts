import type { Config } from '../../config/schema.ts';
import type { KeptSet, RetentionPlan } from '../../vault/retain.ts';
import type { Loaded } from '../context.ts';
import type { PreparedNode } from '../nodes.ts';
import { secondsText, table } from './units.ts';

export interface NodePlan {
  readonly prepared: PreparedNode;
  readonly everySeconds: number;
  readonly calls: ReadonlyMap<string, string>;
  /** Absent where retention would refuse; a warning says why. */
  readonly retained?: RetentionPlan['sets'];
  readonly warnings: readonly string[];
}

export function planNouns({ config }: Loaded, vault: string, nodes: readonly NodePlan[]): Record<string, unknown> {
  return {
    ...{ network: config.network, vault, encrypted: encryptedFor(config) },
    nodes: nodes.map(({ prepared: { node, plan }, everySeconds, calls, retained = [], warnings }) => ({
      ...{ node: node.name, protocol: node.protocol, everySeconds, rpoSeconds: everySeconds },
      ...{ waves: plan.waves, order: plan.order, reasons: plan.reasons, calls: Object.fromEntries(calls) },
      retention: retained.map(({ set, keep, reasons }) => ({
        ...{ set: set.stored.id, keep, reasons },
        ...(set.snapshots.size > 0 && { snapshots: namesOf(set) }),
      })),
      warnings,
    })),
  };
}

export function planText(
  { config }: Loaded,
  vault: string,
  nodes: readonly NodePlan[],
  cost: readonly string[],
): string[] {
  return [
    ...table([
      ['network', config.network],
      ['vault', vault],
      ['encrypted', encryptedFor(config)],
      ['signed', config.signing.keyFile ?? config.signing.kms ?? ''],
    ]),
    ...nodes.flatMap(nodeText),
    ...cost,
    '',
    'Nothing was called and nothing was changed. `ledgerhold backup` does it.',
  ];
}

function nodeText({ prepared: { node, protocol, plan }, everySeconds, calls, retained, warnings }: NodePlan): string[] {
  const every = secondsText(everySeconds);
  return [
    '',
    `${node.name}  ${protocol.title}`,
    ...plan.waves.flatMap((wave, index) => [
      `  wave ${index + 1}${index === 0 ? '' : ', when all of wave ' + index + ' have ended'}`,
      ...table(
        wave.map((component) => [`    ${component}`, calls.get(component) ?? '', plan.reasons[component] ?? '']),
      ),
    ]),
    ...table([
      ['  every', `${every}: at most the changes of the last ${every} and of one run are in no set (RPO)`],
      ['  retention', retentionText(retained)],
      ...dropped(retained ?? []),
      ...warnings.map((warning) => ['  warning', warning]),
    ]),
  ];
}

function retentionText(retained: NodePlan['retained']): string {
  if (retained === undefined) return 'nothing is removed: see the warning';
  if (retained.length === 0) return 'no sets yet';
  const drop = retained.filter(({ keep }) => !keep).length;
  return `of ${retained.length} sets ${retained.length - drop} are kept, ${drop} would be removed`;
}

/** A screenful; all of them are in the JSON. */
const SHOWN = 20;

function dropped(retained: RetentionPlan['sets']): string[][] {
  return retained
    .slice(0, SHOWN)
    .map(({ set, keep, reasons }) => [
      `    ${set.stored.id}`,
      keep ? `kept: ${reasons.join('; ')}` : removal(set, reasons),
    ]);
}

function removal(set: KeptSet, reasons: readonly string[]): string {
  const snapshots = set.snapshots.size > 0 ? `, and in RDS ${namesOf(set).join(', ')}` : '';
  return `removed: ${reasons.join('; ')}${snapshots}`;
}

const namesOf = ({ snapshots }: KeptSet): string[] => [...snapshots.values()].map(({ id }) => id);

function encryptedFor({ encryption }: Config): string {
  if (encryption === 'none') return 'NO: encryption: none';
  if (encryption.kms !== undefined) return `by KMS, ${encryption.kms}`;
  return `by age, to ${encryption.recipients.length === 1 ? '1 recipient' : `${encryption.recipients.length} recipients`}`;
}
