import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The package's own folder, from the sources as from the built file. */
export const PACKAGE_ROOT = packageRootAbove(import.meta.dirname);

function packageRootAbove(folder: string): string {
  if (existsSync(join(folder, 'package.json')) || folder === dirname(folder)) return folder;
  return packageRootAbove(dirname(folder));
}
