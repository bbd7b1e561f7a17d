import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../dist/workflows');

/** A workflow's definition as the build has written it; a fresh copy, to be spoilt at will. */
export function emitted(name: 'backup' | 'chain' | 'delivery' | 'member-delivery' | 'retention' | 'second-vault') {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.asl.json`), 'utf8'));
}
