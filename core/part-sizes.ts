const MEBIBYTE = 1024 * 1024;

/** From here on S3 copies in parts alone; a part has no more either. */
export const COPIED_IN_ONE = 5 * 1024 * MEBIBYTE;
/** 512 MiB cross between two Regions in seconds. */
const PART = 512 * MEBIBYTE;
const MOST_PARTS = 10_000;

/** A part of an object: from byte `start` to `end`, both included. */
export interface Part {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The parts in which an object of `size` bytes is copied, whole and in order: of `partBytes`, or larger if there would be
 * more than 10,000. Throws `RangeError` for nothing, and for more than S3 holds in an object (some 53 TB).
 */
export function partsOf(size: number, partBytes = PART): readonly Part[] {
  if (!(size >= 1 && size <= MOST_PARTS * COPIED_IN_ONE)) throw new RangeError(`${size} bytes cannot be had in parts`);
  const length = Math.max(partBytes, Math.ceil(size / MOST_PARTS));
  return Array.from({ length: Math.ceil(size / length) }, (_, index) => ({
    number: index + 1,
    start: index * length,
    end: Math.min(size, (index + 1) * length) - 1,
  }));
}
