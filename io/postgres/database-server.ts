import { LedgerholdError } from '../../core/errors.ts';
import { CaptureFailed } from '../../core/receipts.ts';
import { type Connection, connectionOf, type PostgresSource } from './connection.ts';
import {
  accessCommands,
  type DatabaseSetting,
  type Ownership,
  ownershipOf,
  settingCommands,
  settingsOf,
} from './database-properties.ts';
import { DatabaseNotReadable, NoSuchDatabase, PostgresToolFailed } from './errors.ts';
import { identifier, literal, openSession, type Session } from './session.ts';
import type { ToolOptions } from './tools.ts';

/** Somebody is connected to a database that is to be replaced. */
export class TargetInUse extends LedgerholdError {
  override readonly name = 'TargetInUse';
  readonly kind = 'refused';
  constructor(database: string, visitors: readonly string[], options?: ErrorOptions) {
    super(
      `database ${database} is in use by ${visitors.join(', ')}`,
      'Stop the node, and whatever else is connected to its databases; then run this again.',
      options,
    );
  }
}

/** A change of name, and what the database is to say of itself from then on. */
export interface Renaming {
  readonly from: string;
  readonly to: string;
  readonly comment?: string;
}

/** A server's databases as a whole, through one held-open connection. Everything rejects with a named `CaptureFailed`. */
export interface DatabaseServer {
  /** The comment of each database among `names` that exists; null where it has none. */
  comments(names: readonly string[]): Promise<ReadonlyMap<string, string | null>>;
  /** Whom a database belongs to; undefined if there is none of that name. */
  ownership(name: string): Promise<Ownership | undefined>;
  /** Makes an empty database, with the owner, encoding and locale of `like` if that exists. */
  create(name: string, like: string): Promise<void>;
  drop(name: string): Promise<void>;
  /** Gives `to` what `from`, if it exists, has beside its content: rights, limit of connections and settings. */
  carry(from: string, to: string): Promise<void>;
  /** Settings of `from` that `to` is without, such as those that only a superuser may make; for people. */
  lost(from: string, to: string): Promise<string[]>;
  comment(name: string, text: string): Promise<void>;
  /** Who is connected to a database, a line each. */
  visitors(name: string): Promise<string[]>;
  /** All of them or none: one transaction. Rejects with `TargetInUse`; the connection is then of no more use. */
  rename(renamings: readonly Renaming[]): Promise<void>;
  /** Resolves to false if somebody else holds the lock of that name; ours ends with the connection. */
  lock(name: string): Promise<boolean>;
  /** Never rejects. May be called again. */
  close(): Promise<void>;
}

/** Connects beside the source's database, which may not exist, with the source's user. */
export async function openDatabaseServer(source: PostgresSource, options: ToolOptions): Promise<DatabaseServer> {
  const open = () => openBeside(connectionOf(source), options);
  const session = await open();
  return {
    comments: (names) => comments(session, names),
    ownership: (name) => ownershipOf(session, name),
    create: async (name, like) => session.run(`CREATE DATABASE ${identifier(name)}${await likeness(session, like)}`),
    drop: (name) => session.run(`DROP DATABASE ${identifier(name)}`),
    carry: (from, to) => carry(session, from, to, open),
    lost: (from, to) => lost(session, from, to),
    comment: (name, text) => session.run(commentOn(name, text)),
    visitors: (name) => visitors(session, name),
    rename: (renamings) => rename(session, renamings),
    lock: async (name) => {
      const rows = await session.rows(
        `SELECT pg_try_advisory_lock(hashtext('ledgerhold'), hashtext(${literal(name)}))`,
      );
      return rows[0]?.[0] === 't';
    },
    close: session.close,
  };
}

/** Every server has one of the two, unless somebody took them away on purpose. */
async function openBeside(connection: Connection, options: ToolOptions): Promise<Session> {
  try {
    return await openSession({ ...connection, database: 'postgres' }, options);
  } catch (error) {
    if (!(error instanceof NoSuchDatabase)) throw error;
    return openSession({ ...connection, database: 'template1' }, options);
  }
}

async function comments(session: Session, names: readonly string[]): Promise<Map<string, string | null>> {
  const rows = await session.rows(
    `SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database
     WHERE datname IN (${names.map(literal).join(', ')})`,
  );
  return new Map(rows.map(([name, comment]) => [name ?? '', comment ?? null]));
}

/** From template0: anything else may hold tables of its own, and only it may have another locale. */
async function likeness(session: Session, like: string): Promise<string> {
  const rows = await session.rows(
    `SELECT pg_encoding_to_char(encoding), datcollate, datctype, pg_get_userbyid(datdba) FROM pg_database WHERE datname = ${literal(like)}`,
  );
  const [encoding, collate, ctype, owner] = rows[0] ?? ['UTF8'];
  const locale = collate && ctype ? ` LC_COLLATE ${literal(collate)} LC_CTYPE ${literal(ctype)}` : '';
  const owned = owner ? ` OWNER ${identifier(owner)}` : '';
  return `${owned} TEMPLATE template0 ENCODING ${literal(encoding ?? 'UTF8')}${locale}`;
}

async function carry(session: Session, from: string, to: string, open: () => Promise<Session>): Promise<void> {
  if ((await ownershipOf(session, from)) === undefined) return;
  for (const command of await accessCommands(session, from, to)) await session.run(command);
  for (const setting of await settingsOf(session, from)) await trySetting(to, setting, open);
}

/** On a connection of its own, which a refusal makes useless. What was refused is seen by `lost`. */
async function trySetting(database: string, setting: DatabaseSetting, open: () => Promise<Session>): Promise<void> {
  const session = await open();
  try {
    for (const command of settingCommands(database, setting)) await session.run(command);
  } catch (error) {
    if (!(error instanceof DatabaseNotReadable || error instanceof PostgresToolFailed)) throw error;
  } finally {
    await session.close();
  }
}

async function lost(session: Session, from: string, to: string): Promise<string[]> {
  const titles = async (database: string) =>
    (await settingsOf(session, database)).map(({ role, name }) => (role === null ? name : `${name} of ${role}`));
  const kept = await titles(to);
  return (await titles(from)).filter((title) => !kept.includes(title));
}

const commentOn = (name: string, text: string): string => `COMMENT ON DATABASE ${identifier(name)} IS ${literal(text)}`;

async function visitors(session: Session, name: string): Promise<string[]> {
  // Of other users' sessions an unprivileged one sees database and user, and null for all else. The server's own
  // processes have no user.
  const rows = await session.rows(
    `SELECT usename, backend_type, coalesce(nullif(application_name, ''), 'a program without a name'), host(client_addr)
     FROM pg_stat_activity
     WHERE datname = ${literal(name)} AND pid <> pg_backend_pid()
       AND (backend_type = 'client backend' OR backend_type IS NULL AND usename IS NOT NULL)
     ORDER BY backend_start LIMIT 10`,
  );
  return rows.map(([user, type, program, address]) =>
    type === null
      ? `a program that only a superuser may see (user ${user})`
      : `${program} (user ${user}, from ${address ?? 'a local socket'})`,
  );
}

async function rename(session: Session, renamings: readonly Renaming[]): Promise<void> {
  await session.run('BEGIN');
  for (const { from, to, comment } of renamings) {
    await renameOne(session, from, to);
    if (comment !== undefined) await session.run(commentOn(to, comment));
  }
  await session.run('COMMIT');
}

async function renameOne(session: Session, from: string, to: string): Promise<void> {
  try {
    await session.run(`ALTER DATABASE ${identifier(from)} RENAME TO ${identifier(to)}`);
  } catch (cause) {
    if (!(cause instanceof CaptureFailed && cause.message.includes('is being accessed by other users'))) throw cause;
    throw new TargetInUse(from, ['somebody who has just connected'], { cause });
  }
}
