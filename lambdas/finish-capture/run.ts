import type { Captures } from '../../core/ports.ts';
import { CaptureFailed, EndReceipt, StartReceipt } from '../../core/receipts.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { putDocument, readDocument } from '../../vault/documents.ts';
import { receiptKey } from '../../vault/layout.ts';
import { assertHeld, type LeasePorts } from '../../vault/leases.ts';
import type { finishCapture } from './contract.ts';

export interface FinishCapturePorts extends LeasePorts {
  readonly captures: Pick<Captures, 'finish'>;
}

export async function run(
  { ticket, handle }: InputOf<typeof finishCapture>,
  ports: FinishCapturePorts,
): Promise<OutputOf<typeof finishCapture>> {
  const { network, node, slot, fence, component } = ticket;
  const captured = await ports.captures.finish(handle);
  const start = await readDocument(ports.vault, receiptKey(ticket, component, 'start'), StartReceipt);
  if (start === undefined) {
    throw new CaptureFailed(`${component} ended but its start receipt is gone`, 'Verify the vault, then run again.');
  }
  await assertHeld(ports, ticket);
  const format = 'ledgerhold/receipt-end/1';
  const receipt = EndReceipt.parse({ format, network, node, slot, fence, component, start: start.sha256, ...captured });
  const key = receiptKey(ticket, component, 'end');
  const { won, sha256: end } = await putDocument(ports.vault, key, receipt);
  if (won) return { component, end };
  // Finished before, by a call whose answer was lost: that receipt counts, and its times may differ.
  return { component, end: (await readDocument(ports.vault, key, EndReceipt))?.sha256 ?? end };
}
