import type { Deliverable } from '../core/delivery.ts';

/** The same bytes; `onError` is called where they end with an error. */
export async function* watched(bytes: AsyncIterable<Uint8Array>, onError: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    onError();
    throw error;
  }
}

/** The bytes of a small object that had to be read anyway. */
export async function* bytesOf({ bytes }: Deliverable): AsyncGenerator<Uint8Array> {
  if (bytes !== undefined) yield bytes;
}
