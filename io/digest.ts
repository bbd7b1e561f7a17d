import { createHash } from 'node:crypto';
import type { Digest } from '../core/canonical.ts';
import type { Sha256 } from '../core/names.ts';

export const sha256: Digest = (bytes) => createHash('sha256').update(bytes).digest('hex') as Sha256;
