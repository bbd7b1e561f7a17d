import { NoSuchKey, ObjectTooLarge, type Vault } from '../core/vault.ts';

/** `Vault.get`, made of `Vault.read`. `limit` in bytes. */
export async function getSmall(
  read: Vault['read'],
  key: string,
  limit: number = 4 * 1024 * 1024,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of read(key)) {
      size += chunk.length;
      if (size > limit) throw new ObjectTooLarge(key, limit);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

/** The range cut to an object of `size` bytes, as offsets from (in) and to (out); they are equal if nothing is left. */
export function cut(size: number, range: { readonly start: number; readonly end: number } | undefined) {
  if (range === undefined) return { from: 0, to: size };
  checkRange(range);
  const to = Math.min(range.end + 1, size);
  return { from: Math.min(range.start, to), to };
}

/** Throws `RangeError` unless `start` and `end` are whole, not negative, and in order. */
export function checkRange({ start, end }: { readonly start: number; readonly end: number }): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end) return;
  throw new RangeError(`bytes ${start} to ${end} are no range`);
}
