import { describe, jest } from '@jest/globals';
import { toolFolder } from '../../io/postgres/tool-folder.ts';

const tools = await toolFolder(['initdb', 'postgres'], undefined, process.env).catch(() => undefined);

// A server starts in one second, or in several on a machine with other things to do.
jest.setTimeout(60_000);

/** `describe`, skipped by name where PostgreSQL's server is not installed. */
export const describeWithPostgres: (name: string, tests: () => void) => void =
  tools === undefined ? (name, tests) => describe.skip(`${name} (PostgreSQL is not installed)`, tests) : describe;
