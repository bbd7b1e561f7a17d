import { lookup } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { AddressRefused, OriginNotAllowed } from './http-errors.ts';

/** Where calls may go. Anything else is refused before a name is resolved. */
export interface Outbound {
  /** Exact origins that one node's config names: these may be plain HTTP, loopback, private, or an address. */
  readonly origins: readonly string[];
  /** Host names called over HTTPS on any port, at public addresses only. */
  readonly hosts?: readonly string[];
}

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** All addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly Address[]>;

export const systemResolve: Resolve = (host) => lookup(host, { all: true });

/** Opens exactly the origins of these URLs. Throws `OriginNotAllowed` for one that is not plainly spelt. */
export function outboundTo(urls: readonly string[]): Outbound {
  return { origins: urls.map((url) => plainUrl(url).origin) };
}

/**
 * The URL, if it may be called. A parser reads `0x7f.1`, `2130706433` or `[::ffff:127.0.0.1]` as 127.0.0.1, and drops
 * tabs and backslashes: so the text must spell its authority as the parser prints it, and hold nothing more.
 */
export function guardUrl(text: string, outbound: Outbound): URL {
  const url = plainUrl(text);
  const literal = isIP(bare(url.hostname)) !== 0;
  const named = outbound.origins.includes(url.origin);
  const listed = url.protocol === 'https:' && !literal && outbound.hosts?.includes(url.hostname) === true;
  if (!named && !listed) throw new OriginNotAllowed(`${url.origin} is not an origin that the config names`);
  if (literal) checkAddress(url.hostname, bare(url.hostname), named);
  return url;
}

function plainUrl(text: string): URL {
  const [, authority] = /^https?:\/\/([^/?#]*)/.exec(text) ?? [];
  if (authority === undefined) throw new OriginNotAllowed('the URL does not start with https:// or http://');
  if (/[\\\p{White_Space}\p{Cc}]/u.test(text))
    throw new OriginNotAllowed('the URL holds a backslash, a space or a control');
  if (authority.includes('@')) throw new OriginNotAllowed('the URL holds a user name or a password');
  const url = URL.parse(text);
  if (url === null) throw new OriginNotAllowed('the URL cannot be read');
  const spellings = [url.host, `${url.hostname}:${url.protocol === 'https:' ? 443 : 80}`];
  if (!spellings.includes(authority.toLowerCase())) {
    throw new OriginNotAllowed(`the URL spells its host in another way than ${url.host}`);
  }
  return url;
}

/**
 * Resolves a name once, refuses it if any of its addresses may not be called, and connects to these addresses and no
 * others. `opened`: the origin is named in full, so that private and loopback addresses are fine.
 */
export function checkedLookup(opened: boolean, resolve: Resolve): LookupFunction {
  return (host, options, done) => {
    addressesOf(host, opened, resolve).then(
      ([first, ...others]) => {
        if (options.all === true) done(null, [first, ...others]);
        else done(null, first.address, first.family);
      },
      (error: Error) => done(error, ''),
    );
  };
}

async function addressesOf(host: string, opened: boolean, resolve: Resolve): Promise<[Address, ...Address[]]> {
  const [first, ...others] = isLocalhost(host) ? LOOPBACK : await resolve(host);
  if (first === undefined) throw Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' });
  for (const { address } of [first, ...others]) checkAddress(host, address, opened);
  return [first, ...others];
}

/** RFC 6761: these names are this machine, whatever a name server says. */
const isLocalhost = (host: string): boolean => /(?:^|\.)localhost\.?$/.test(host);
const LOOPBACK: readonly Address[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

function checkAddress(host: string, address: string, opened: boolean): void {
  const scope = scopeOf(address);
  if (scope !== 'public' && (scope === 'forbidden' || !opened)) throw new AddressRefused(host, address, scope);
}

/** `forbidden`: link-local (cloud metadata answers there), multicast, unspecified, reserved. */
export type Scope = 'public' | 'private' | 'loopback' | 'forbidden';

export function scopeOf(address: string): Scope {
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return 'forbidden';
  if (family === 6) return scopeOf6(address);
  if (LOOPBACK4.check(address)) return 'loopback';
  if (PRIVATE4.check(address)) return 'private';
  return FORBIDDEN4.check(address) ? 'forbidden' : 'public';
}

function scopeOf6(address: string): Scope {
  const plain = bare(new URL(`http://[${address}]`).hostname);
  if (plain === '::1') return 'loopback';
  // IPv4-mapped, and NAT64 of RFC 6052: the last four bytes are the address that is meant.
  const [, high, low] = /^(?:::ffff|64:ff9b:):([0-9a-f]+):([0-9a-f]+)$/.exec(plain) ?? [];
  if (high !== undefined && low !== undefined)
    return scopeOf(dotted(Number.parseInt(high, 16), Number.parseInt(low, 16)));
  if (FORBIDDEN6.check(plain, 'ipv6')) return 'forbidden';
  if (PRIVATE6.check(plain, 'ipv6')) return 'private';
  return GLOBAL6.check(plain, 'ipv6') ? 'public' : 'forbidden';
}

const dotted = (high: number, low: number): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');

const bare = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');

function blocks(family: 'ipv4' | 'ipv6', subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = '', bits] = subnet.split('/');
    list.addSubnet(net, Number(bits), family);
  }
  return list;
}

/** IANA special-purpose address registries (RFC 6890 and its successors). */
const LOOPBACK4 = blocks('ipv4', ['127.0.0.0/8']);
const PRIVATE4 = blocks('ipv4', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10']);
const FORBIDDEN4 = blocks('ipv4', [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]);
const PRIVATE6 = blocks('ipv6', ['fc00::/7']);
/** Metadata over IPv6, Teredo, documentation, 6to4. */
const FORBIDDEN6 = blocks('ipv6', ['fd00:ec2::/32', '2001::/32', '2001:db8::/32', '2002::/16']);
const GLOBAL6 = blocks('ipv6', ['2000::/3']);
