import { writeFileSync } from 'node:fs';
import { jsonSchema } from '../config/json-schema.ts';

// The repository's copy is what editors fetch; a test holds it equal to the schema.
const target = new URL('../config/ledgerhold.schema.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(jsonSchema(), null, 2)}\n`);
