import type { Check } from './check.ts';
import { databasesCheck } from './databases.ts';
import { identitiesCheck } from './identities.ts';
import { encryptionCheck, signingCheck } from './keys.ts';
import { machineCheck } from './machine.ts';
import { diskCheck, vaultCheck } from './vault.ts';

/** All checks, in the order in which a person would mend what they find. */
export const CHECKS: readonly Check[] = [
  vaultCheck,
  signingCheck,
  encryptionCheck,
  databasesCheck,
  identitiesCheck,
  diskCheck,
  machineCheck,
];
