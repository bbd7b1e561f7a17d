import type { DeliveryReceipt } from '../../core/delivery.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { signatureKey } from '../../vault/layout.ts';
import { verify } from '../../vault/verify.ts';
import type { DeliveryModel } from './delivery-model.ts';
import { unprovenSigner } from './toy-deliveries.ts';

/** Who has the public key finds nothing wrong with them. */
export async function provenLaws({ vault }: DeliveryModel): Promise<string[]> {
  const publicKeys = [await unprovenSigner.publicKeyPem()];
  const { members } = await verify({ vault, publicKeys, protocolNamed, depth: 'structure' });
  if (members.length === 0) return ['there is nothing to prove'];
  return members.flatMap(({ findings }) => findings.map(({ code, text }) => `${code}: ${text}`));
}

/** Receipts are a chain without a gap; of this registration they list what lies there, and nothing else. */
export function receiptLaws(model: DeliveryModel, id: string, atRest: boolean): string[] {
  const broken: string[] = [];
  const { since } = model.member(id);
  const receipts = [...model.vault.objects.keys()]
    .filter((key) => key.startsWith(`deliveries/${id}/`) && key.endsWith('.json'))
    .toSorted()
    .map((key) => ({ key, ...model.json<DeliveryReceipt>(key) }));
  const listed = new Set<string>();
  let objects = 0;
  for (const [at, { value, key, sha256 }] of receipts.entries()) {
    if (value.seq !== at + 1) broken.push(`${key} is number ${at + 1}`);
    if (value.previous !== (receipts[at - 1]?.sha256 ?? null)) broken.push(`${key} does not follow the one before`);
    if (!model.vault.objects.has(signatureKey(key, sha256))) broken.push(`${key} is not signed`);
    if (value.since !== since) continue;
    objects += value.delivered.length;
    if (value.totals.objects !== objects) broken.push(`${key} counts ${value.totals.objects} objects, not ${objects}`);
    for (const each of value.delivered) listed.add(each.key);
  }
  const there = model.placeOf(id).objects;
  const invented = [...listed].filter((key) => !there.has(key));
  if (invented.length > 0) broken.push(`receipts of ${id} list what is not there: ${invented[0]}`);
  // A file whose answer was lost is met again by the next delivery: by none, while the member takes no files.
  const isMet = (key: string) => model.member(id).chainFiles !== false || !key.endsWith('.rlp');
  const untold = [...there.keys()].filter((key) => !listed.has(key) && isMet(key));
  if (atRest && untold.length > 0) broken.push(`receipts of ${id} do not list ${untold[0]}`);
  return broken;
}
