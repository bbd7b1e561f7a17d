import { bucketCheck } from './bucket.ts';
import { chainsCheck } from './chains.ts';
import type { Check } from './check.ts';
import { databasesCheck } from './databases.ts';
import { documentsCheck } from './documents.ts';
import { identitiesCheck } from './identities.ts';
import { encryptionCheck, signingCheck } from './keys.ts';
import { machineCheck } from './machine.ts';
import { rdsCheck } from './rds.ts';
import { scanCheck } from './scan.ts';
import { diskCheck, vaultCheck } from './vault.ts';

/** All checks, in the order in which a person would mend what they find. */
export const CHECKS: readonly Check[] = [
  vaultCheck,
  bucketCheck,
  documentsCheck,
  signingCheck,
  encryptionCheck,
  databasesCheck,
  rdsCheck,
  identitiesCheck,
  scanCheck,
  chainsCheck,
  diskCheck,
  machineCheck,
];
