import { identifier, literal, type Session } from './session.ts';

/** Whom a database belongs to, and who asks. */
export interface Ownership {
  readonly owner: string;
  readonly user: string;
  /** May the connected user do all that the owner may, and make things in the owner's name? */
  readonly asOwner: boolean;
}

/** Undefined if there is no such database. */
export async function ownershipOf(session: Session, database: string): Promise<Ownership | undefined> {
  // Since PostgreSQL 16 a member may be one without the right to act in the role's name, which SET asks for.
  const rows = await session.rows(
    `SELECT pg_get_userbyid(datdba), current_user, pg_has_role(datdba, 'USAGE') AND pg_has_role(datdba,
       CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
     FROM pg_database WHERE datname = ${literal(database)}`,
  );
  const [owner, user, asOwner] = rows[0] ?? [];
  return owner && user ? { owner, user, asOwner: asOwner === 't' } : undefined;
}

/** A setting that sessions in a database begin with: those of one role, or of everybody. */
export interface DatabaseSetting {
  readonly role: string | null;
  readonly name: string;
  /** As the server keeps it, lists already quoted. */
  readonly value: string;
}

export async function settingsOf(session: Session, database: string): Promise<DatabaseSetting[]> {
  const rows = await session.rows(
    `SELECT rolname, split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)
     FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
       LEFT JOIN pg_roles ON pg_roles.oid = setrole, unnest(setconfig) AS setting
     WHERE datname = ${literal(database)}`,
  );
  return rows.map(([role, name, value]) => ({ role: role ?? null, name: name ?? '', value: value ?? '' }));
}

/** A transaction that gives `database` a setting. By way of our own session: quoting a list again would change it. */
export function settingCommands(database: string, { role, name, value }: DatabaseSetting): string[] {
  const whose =
    role === null ? `DATABASE ${identifier(database)}` : `ROLE ${identifier(role)} IN DATABASE ${identifier(database)}`;
  const parameter = name.split('.').map(identifier).join('.');
  return [
    'BEGIN',
    `SELECT set_config(${literal(name)}, ${literal(value)}, true)`,
    `ALTER ${whose} SET ${parameter} FROM CURRENT`,
    'COMMIT',
  ];
}

/** A transaction that gives `to` the rights and the limit of connections that `from` has. */
export async function accessCommands(session: Session, from: string, to: string): Promise<string[]> {
  const database = identifier(to);
  const [about] = await session.rows(
    `SELECT datconnlimit, datacl IS NULL, pg_get_userbyid(datdba) FROM pg_database WHERE datname = ${literal(from)}`,
  );
  const [limit, untouched, owner] = about ?? [];
  const limited = [`ALTER DATABASE ${database} CONNECTION LIMIT ${limit ?? '-1'}`];
  if (untouched !== 'f') return limited;
  const revoked = ['PUBLIC', identifier(owner ?? '')].map((who) => `REVOKE ALL ON DATABASE ${database} FROM ${who}`);
  return ['BEGIN', ...limited, ...revoked, ...(await grantCommands(session, from, database)), 'COMMIT'];
}

async function grantCommands(session: Session, from: string, database: string): Promise<string[]> {
  const rows = await session.rows(
    `SELECT rolname, privilege_type, is_grantable
     FROM pg_database, aclexplode(datacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
     WHERE datname = ${literal(from)}`,
  );
  return rows.map(([role, privilege, grantable]) => {
    const whom = role ? identifier(role) : 'PUBLIC';
    return `GRANT ${privilege} ON DATABASE ${database} TO ${whom}${grantable === 't' ? ' WITH GRANT OPTION' : ''}`;
  });
}
