import * as z from 'zod';
import { Config } from './schema.ts';

/** JSON Schema of `ledgerhold.yaml` for editors; generated, since the zod schema is the one definition. */
export function jsonSchema(): object {
  const schema = z.toJSONSchema(Config, { io: 'input', target: 'draft-7', unrepresentable: 'any' });
  return { ...schema, title: 'ledgerhold.yaml' };
}
