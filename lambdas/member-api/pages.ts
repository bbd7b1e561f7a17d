import pLimit from 'p-limit';
import { takesChain } from '../../core/delivery.ts';
import { ApiRefused, type HistoryPage, type RouteId, type Signed } from '../../core/member-api.ts';
import { readLink } from '../../vault/chain.ts';
import { citedRecord, HISTORY } from '../../vault/history.ts';
import { chainFileKey } from '../../vault/layout.ts';
import { type Kind, newestOf, type OfMember, PROOFS, RECEIPTS, signedAfter } from '../../vault/member-documents.ts';
import { readMember } from '../../vault/members.ts';
import { nodesIn } from '../../vault/sets.ts';
import type { Act, ApiPorts } from './call.ts';

/** Bytes of documents in a page: with what JSON adds far below the 6 MB that a Lambda may answer with. */
const BYTES_A_PAGE = 2_000_000;
const DOCUMENTS_A_PAGE = 50;
/** Beside those of the first manifest, which is always whole: 300 bytes each. */
const FILES_A_PAGE = 500;
const MANIFESTS_A_PAGE = 50;
/** Enough to hide the way to the bucket and back. */
const READS_AT_ONCE = 16;

/** What a member may read of the vault, in pages that follow each other by number. */
export const pages: { readonly [Id in Extract<RouteId, 'getReceipts' | 'getProofs' | 'getHistory'>]: Act<Id> } = {
  getReceipts: async ({ id, query: { after } }, { vault }) => {
    const { documents, next } = await signedPage(vault, RECEIPTS, id, after);
    return { receipts: documents, next };
  },
  getProofs: async ({ id, query: { after } }, { vault }) => {
    const { documents, next } = await signedPage(vault, PROOFS, id, after);
    return { proofs: documents, next };
  },
  getHistory: async ({ id, query: { after, node: asked } }, { vault }) => {
    return historyPage(vault, await chainOf(vault, id, asked), after);
  },
};

/** What the manifests of a chain list, behind number `after`. */
export async function historyPage(vault: ApiPorts['vault'], node: string, after: number): Promise<HistoryPage> {
  const limit = pLimit(READS_AT_ONCE);
  const manifests = [];
  let files = 0;
  let link = await readLink(vault, HISTORY, node, after + 1);
  while (link !== undefined && manifests.length < MANIFESTS_A_PAGE && (files === 0 || files < FILES_A_PAGE)) {
    const { key, sha256, value } = link;
    const records = await Promise.all(value.records.map((each) => limit(() => fileOf(vault, node, each))));
    const orphaned = value.orphaned.map((each) => each.key);
    manifests.push({ seq: value.seq, key, sha256, sealedAt: value.sealedAt, files: records, orphaned });
    files += records.length;
    link = await readLink(vault, HISTORY, node, value.seq + 1);
  }
  return { node, manifests, next: link === undefined ? null : link.value.seq - 1 };
}

/** A member's documents of one kind, as they were signed, behind number `after`. Rejects with `NotADocument`. */
async function signedPage<T extends OfMember>(vault: ApiPorts['vault'], kind: Kind<T>, id: string, after: number) {
  const last = await newestOf(vault, kind, id);
  const documents: Signed[] = [];
  let bytes = 0;
  for await (const found of signedAfter(vault, kind, id, { after, last })) {
    const { seq } = found.value;
    const document = new TextDecoder().decode(found.bytes);
    const signature = Buffer.from(found.signature).toString('base64');
    documents.push({ seq, document, sha256: found.sha256, signature });
    bytes += document.length;
    const isFull = documents.length >= DOCUMENTS_A_PAGE || bytes >= BYTES_A_PAGE;
    if (isFull) return { documents, next: seq < last ? seq : null };
  }
  return { documents, next: null };
}

/** The one that is asked for, or the only one that the member wants. Rejects with `ApiRefused`. */
async function chainOf(vault: ApiPorts['vault'], id: string, asked: string | undefined): Promise<string> {
  const chains = (await readMember(vault, id))?.value.chains ?? null;
  const wanted = (await nodesIn(vault, 'chain')).filter((node) => takesChain({ chains }, node));
  const [only, another] = wanted;
  const node = asked ?? (another === undefined ? only : undefined);
  if (node !== undefined && wanted.includes(node)) return node;
  const what = asked === undefined ? `there are ${wanted.length} chains` : `there is no chain ${asked}`;
  throw new ApiRefused('NoSuchChain', what, wanted.length === 0 ? 'Wait for the first run.' : `Name one with ?node=.`);
}

async function fileOf(
  vault: ApiPorts['vault'],
  node: string,
  cited: { readonly key: string; readonly sha256: string },
) {
  const { file, start, end } = (await citedRecord(vault, cited.key, cited.sha256)).value;
  const { name, size, sha256, compression } = file;
  const key = chainFileKey(node, name);
  return { key, size, sha256, compression, firstBlock: start.number, lastBlock: end.number };
}
