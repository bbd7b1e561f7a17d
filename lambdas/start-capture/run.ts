import { type ComponentName, Instant } from '../../core/names.ts';
import type { Captures } from '../../core/ports.ts';
import { EndReceipt, PredecessorNotEnded, StartReceipt } from '../../core/receipts.ts';
import type { Run, Ticket } from '../../core/run.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { waves } from '../../core/waves.ts';
import type { ProtocolOrdering } from '../../protocols/protocol.ts';
import { putDocument, readDocument } from '../../vault/documents.ts';
import { receiptKey, runPrefix } from '../../vault/layout.ts';
import { assertHeld, type LeasePorts } from '../../vault/leases.ts';
import type { startCapture } from './contract.ts';

export interface StartCapturePorts extends LeasePorts {
  readonly captures: Captures;
  readonly protocolNamed: (name: string) => ProtocolOrdering;
}

export async function run(
  { ticket, components }: InputOf<typeof startCapture>,
  ports: StartCapturePorts,
): Promise<OutputOf<typeof startCapture>> {
  await assertHeld(ports, ticket);
  const predecessors = await finishedPredecessors(ticket, components, ports);
  const order = { ...ticket, predecessors, prefix: runPrefix(ticket.node, ticket.slot, ticket.fence) };
  const { network, node, slot, fence, component } = ticket;
  // Before the first byte: whoever finds this receipt knows that the capture began only after what it cites.
  await putDocument(
    ports.vault,
    receiptKey(ticket, component, 'start'),
    StartReceipt.parse({
      format: 'ledgerhold/receipt-start/1',
      ...{ network, node, slot, fence, component, predecessors },
      startedAt: Instant.parse(ports.clock.now().toISOString()),
      source: ports.captures.source(order),
    }),
  );
  return { handle: await ports.captures.start(order) };
}

/** By the protocol's rule. A run without a component that the protocol requires could hide a predecessor. */
function predecessorsOf(
  component: ComponentName,
  components: Run['components'],
  protocol: ProtocolOrdering,
): readonly ComponentName[] {
  for (const [role, { required }] of Object.entries(protocol.roles)) {
    if (!required || components.some((each) => each.role === role)) continue;
    throw new PredecessorNotEnded(
      `${component} may not start: the run has no ${role}, which ${protocol.title} cannot do without`,
      'Run the whole backup; a part of it is no set.',
    );
  }
  return waves(components, protocol).predecessors[component] ?? [];
}

/** The guard: it looks at what lies in the vault now, whatever the workflow believes. */
async function finishedPredecessors(
  ticket: Ticket,
  components: Run['components'],
  { vault, protocolNamed, captures }: StartCapturePorts,
): Promise<StartReceipt['predecessors']> {
  const finished: StartReceipt['predecessors'] = [];
  const protocol = protocolNamed(ticket.protocol);
  for (const component of predecessorsOf(ticket.component, components, protocol).toSorted()) {
    const end = await readDocument(vault, receiptKey(ticket, component, 'end'), EndReceipt);
    if (end === undefined) {
      throw new PredecessorNotEnded(
        `${ticket.component} may not start: ${component} has not ended in attempt ${ticket.fence} at slot ${ticket.slot}`,
        'Run the whole backup again; captures are never started by hand out of their order.',
      );
    }
    await captures.attest(end.value);
    finished.push({ component, end: end.sha256 });
  }
  return finished;
}
