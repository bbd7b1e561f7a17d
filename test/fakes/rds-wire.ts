import { Readable } from 'node:stream';
import { bodyOf, serve } from '../support/loopback.ts';

/** What a call says, or what it answers: strings, lists, and objects of them. */
export type Value = string | readonly Value[] | { readonly [name: string]: Value };
export type Params = Readonly<Record<string, Value>>;
/** As the SDK's types have it. */
export type Answer = Readonly<Record<string, unknown>>;

/** Refuses a call as the service does. */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** The effect is there and its answer is not: the connection ends first. */
export class AnswerLost extends Error {}

/** What stands around each item of a list; a list of any other name is a mistake in the fake. */
const ITEMS: Readonly<Record<string, string>> = {
  DBSnapshots: 'DBSnapshot',
  DBClusterSnapshots: 'DBClusterSnapshot',
  DBInstances: 'DBInstance',
  DBClusters: 'DBCluster',
  DBSubnetGroups: 'DBSubnetGroup',
  DBClusterMembers: 'DBClusterMember',
  DBParameterGroups: 'DBParameterGroup',
  OptionGroupMemberships: 'OptionGroupMembership',
  VpcSecurityGroups: 'VpcSecurityGroupMembership',
  ReadReplicaDBInstanceIdentifiers: 'ReadReplicaDBInstanceIdentifier',
  AccountQuotas: 'AccountQuota',
  TagList: 'Tag',
  Subnets: 'Subnet',
  DBSnapshotAttributes: 'DBSnapshotAttribute',
  DBClusterSnapshotAttributes: 'DBClusterSnapshotAttribute',
  AttributeValues: 'AttributeValue',
};

/** `Tags.Tag.1.Key=a` becomes `{ Tags: [{ Key: 'a' }] }`: numbers are places in a list, and lists have no name. */
export function decode(body: string): Params {
  const root: Record<string, unknown> = {};
  for (const [path, value] of new URLSearchParams(body)) {
    const steps = path.split('.');
    let at = root;
    for (const [index, step] of steps.entries()) {
      if (index === steps.length - 1) at[step] = value;
      else at = (at[step] ??= {}) as Record<string, unknown>;
    }
  }
  return listed(root) as Params;
}

function listed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, listed(inner)] as const);
  const [only] = entries;
  if (entries.length > 0 && entries.every(([name]) => /^\d+$/.test(name))) return entries.map(([, inner]) => inner);
  return entries.length === 1 && Array.isArray(only?.[1]) && only[0] in LISTED ? only[1] : Object.fromEntries(entries);
}

/** Names that the query protocol puts between a list and its items. */
const LISTED: Readonly<Record<string, true>> = {
  ...{ Tag: true, Filter: true, Value: true, member: true, AvailabilityZone: true, VpcSecurityGroupId: true },
  AttributeValue: true,
};

export function encode(action: string, answer: Answer): string {
  const inner = `<${action}Result>${xml(answer)}</${action}Result>`;
  const about = '<ResponseMetadata><RequestId>fake</RequestId></ResponseMetadata>';
  return `<${action}Response xmlns="http://rds.amazonaws.com/doc/2014-10-31/">${inner}${about}</${action}Response>`;
}

const encodeRefusal = ({ code, message, status }: Refusal): string =>
  `<ErrorResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><Error><Type>${status < 500 ? 'Sender' : 'Receiver'}` +
  `</Type><Code>${code}</Code><Message>${escaped(message)}</Message></Error><RequestId>fake</RequestId></ErrorResponse>`;

const xml = (fields: object): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<${name}>${element(name, value)}</${name}>`)
    .join('');

function element(name: string, value: unknown): string {
  if (Array.isArray(value)) {
    const item = ITEMS[name];
    if (item === undefined) throw new Error(`the fake knows no list ${name}`);
    return value.map((each) => `<${item}>${element(item, each)}</${item}>`).join('');
  }
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' && value !== null ? xml(value) : escaped(String(value));
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Answers one call. Rejects with `AnswerLost` if there is nothing to be heard. */
export type Call = (action: string, params: Params) => Promise<Answer>;

async function respond(call: Call, body: string): Promise<{ status: number; text: string }> {
  const { Action: action, Version: _, ...params } = decode(body);
  if (typeof action !== 'string') throw new Error('a call without an action');
  try {
    return { status: 200, text: encode(action, await call(action, params)) };
  } catch (error) {
    if (error instanceof Refusal) return { status: error.status, text: encodeRefusal(error) };
    throw error;
  }
}

/** Over HTTP on this machine. */
export const served = (call: Call) =>
  serve(async (request, response) => {
    try {
      const { status, text } = await respond(call, await bodyOf(request));
      response.writeHead(status, { 'content-type': 'text/xml' }).end(text);
    } catch (error) {
      if (!(error instanceof AnswerLost)) throw error;
      request.socket.destroy();
    }
  });

/** For the SDK's client, without a network: its own writing and reading, retries and errors all the same. */
export const requestHandler = (call: Call) => ({
  handle: async ({ body }: { body: string }) => {
    try {
      const { status, text } = await respond(call, body);
      const headers = { 'content-type': 'text/xml' };
      return { response: { statusCode: status, headers, body: Readable.from([Buffer.from(text)]) } };
    } catch (error) {
      if (!(error instanceof AnswerLost)) throw error;
      throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    }
  },
});
