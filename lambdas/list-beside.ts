import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as z from 'zod';
import { LIST_FILE, MemberListUnreadable } from '../core/member-list.ts';

/** The list in a folder, which is that of the Lambda's code: read once, at the cold start. Throws `MemberListUnreadable`. */
export function listBeside<S extends z.ZodType>(folder: string, schema: S): z.infer<S> {
  try {
    return schema.parse(JSON.parse(readFileSync(join(folder, LIST_FILE), 'utf8')));
  } catch (cause) {
    const remedy = 'Deploy the stack again: the list is made of the configuration, and never by hand.';
    throw new MemberListUnreadable(`the list of members in ${folder} is missing, or is none`, remedy, { cause });
  }
}
