import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AddressRefused, OriginNotAllowed } from '../../io/http-errors.ts';
import { checkedLookup, guardUrl, outboundTo, scopeOf } from '../../io/http-guard.ts';

const byte = fc.nat(255);

/** One way to write a number below 256 in a URL. */
const spelt = (value: number) =>
  fc.constantFrom(String(value), `0x${value.toString(16)}`, `0${value.toString(8)}`, `0X${value.toString(16)}`);

/** Ways in which WHATWG URLs let an IPv4 address be written. */
const literal4 = fc.tuple(byte, byte, byte, byte).chain(([a, b, c, d]) =>
  fc.oneof(
    fc.constant(String(((a * 256 + b) * 256 + c) * 256 + d)),
    fc.constant(`0x${((((a * 256 + b) * 256 + c) * 256 + d) >>> 0).toString(16)}`),
    fc.tuple(spelt(a), spelt(b), spelt(c), spelt(d)).map((parts) => parts.join('.')),
    fc.tuple(spelt(a), fc.constant(String((b * 256 + c) * 256 + d))).map((parts) => parts.join('.')),
    fc.constant(`[::ffff:${a}.${b}.${c}.${d}]`),
    fc.constant(`[::${a}.${b}.${c}.${d}]`),
    fc.constant(`${a}.${b}.${c}.${d}.`),
    fc.constant(`${a}。${b}｡${c}．${d}`),
    fc.constant(`%3${a % 10}.${b}.${c}.${d}`),
  ),
);

describe('guardUrl', () => {
  const outbound = { origins: ['https://named.example', 'http://10.0.0.5:8545'], hosts: ['listed.example'] };

  test.each([
    'https://named.example/v0/x?y=z',
    'https://named.example:443/',
    'https://NAMED.example/',
    'http://10.0.0.5:8545/',
    'https://listed.example:8443/a',
  ])('lets %s pass', (url) => {
    expect(guardUrl(url, outbound).href).toBe(new URL(url).href);
  });

  test.each([
    ['another port', 'https://named.example:444/'],
    ['another scheme of a named host', 'http://named.example/'],
    ['a host of the list over plain HTTP', 'http://listed.example/'],
    ['a name that ends like one of the list', 'https://evil-listed.example/'],
    ['a name below one of the list', 'https://a.listed.example/'],
    ['a user', 'https://user@named.example/'],
    ['a user and password', 'https://user:pass@named.example/'],
    ['a backslash', 'https://named.example\\@evil.example/'],
    ['a tab in the host', 'https://named\t.example/'],
    ['a newline in the path', 'https://named.example/a\nb'],
    ['a space before it', ' https://named.example/'],
    ['another protocol', 'file:///etc/passwd'],
    ['no slashes', 'https:named.example'],
    ['three slashes', 'https:///named.example'],
    ['a percent in the host', 'https://%6eamed.example/'],
    ['full-width letters', 'https://ｎamed.example/'],
    ['a trailing dot', 'https://named.example./'],
    ['nothing', ''],
  ])('refuses %s', (_, url) => {
    expect(() => guardUrl(url, outbound)).toThrow(OriginNotAllowed);
  });

  test('says nothing of a password in a URL', () => {
    expect(() => guardUrl('https://user:hunter2@named.example/', outbound)).toThrow(/^(?!.*hunter2)/s);
  });

  test('no spelling of an IPv4 address passes, unless that very origin is named', () => {
    fc.assert(
      fc.property(literal4, fc.constantFrom('http', 'https'), (host, scheme) => {
        expect(() => guardUrl(`${scheme}://${host}/`, outbound)).toThrow(OriginNotAllowed);
      }),
    );
  });

  test('a private or loopback address passes by its plain spelling only, where that origin is named', () => {
    const names = fc.oneof(
      fc.tuple(fc.constantFrom('10', '127'), byte, byte, byte).map((parts) => parts.join('.')),
      fc.constantFrom('192.168.1.1', '172.31.0.9', '[::1]', '[fd12::1]', '[::ffff:7f00:1]'),
    );
    fc.assert(
      fc.property(names, literal4, (host, other) => {
        const opened = outboundTo([`http://${host}:81/`]);
        expect(guardUrl(`http://${host}:81/path`, opened).hostname).toBe(host);
        expect(() => guardUrl(`http://${other}:81/path`, opened)).toThrow(other === host ? /never/ : OriginNotAllowed);
      }),
    );
  });

  test.each(['http://169.254.169.254/latest', 'http://0.0.0.0/', 'http://[fe80::1]/', 'http://[fd00:ec2::254]/'])(
    '%s stays refused even where it is named',
    (url) => {
      expect(() => guardUrl(url, outboundTo([url]))).toThrow(AddressRefused);
    },
  );
});

describe('scopeOf', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['172.15.255.255', 'public'],
    ['172.16.0.0', 'private'],
    ['172.32.0.0', 'public'],
    ['100.64.0.1', 'private'],
    ['100.128.0.1', 'public'],
    ['127.255.255.255', 'loopback'],
    ['169.254.169.254', 'forbidden'],
    ['0.1.2.3', 'forbidden'],
    ['224.0.0.1', 'forbidden'],
    ['255.255.255.255', 'forbidden'],
    ['2606:4700::1111', 'public'],
    ['::1', 'loopback'],
    ['::', 'forbidden'],
    ['::127.0.0.1', 'forbidden'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:10.1.1.1', 'private'],
    ['::ffff:8.8.8.8', 'public'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['64:ff9b::169.254.169.254', 'forbidden'],
    ['64:ff9b:1::1', 'forbidden'],
    ['2002:7f00:1::', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['fe80::1%eth0', 'forbidden'],
    ['fc00::1', 'private'],
    ['fd00:ec2::254', 'forbidden'],
    ['ff02::1', 'forbidden'],
    ['2001:db8::1', 'forbidden'],
    ['not an address', 'forbidden'],
  ])('%s is %s', (address, scope) => {
    expect(scopeOf(address)).toBe(scope);
  });
});

describe('checkedLookup', () => {
  const lookup = (opened: boolean, ...addresses: string[]) =>
    new Promise((resolve, reject) => {
      const resolved = async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const done = (error: Error | null, found: unknown) => (error === null ? resolve(found) : reject(error));
      checkedLookup(opened, resolved)('host.example', { all: true }, done);
    });

  test('gives all addresses of a name when each may be called', async () => {
    await expect(lookup(false, '8.8.8.8', '2606:4700::1111')).resolves.toHaveLength(2);
  });

  test('one address that may not be called refuses the name', async () => {
    await expect(lookup(false, '8.8.8.8', '127.0.0.1')).rejects.toThrow(AddressRefused);
    await expect(lookup(false, '10.0.0.1')).rejects.toThrow(AddressRefused);
    await expect(lookup(true, '10.0.0.1')).resolves.toHaveLength(1);
    await expect(lookup(true, '10.0.0.1', '169.254.169.254')).rejects.toThrow(AddressRefused);
  });

  test('a name without an address is an error', async () => {
    await expect(lookup(true)).rejects.toThrow('no address');
  });

  test.each(['localhost', 'wallet.localhost', 'a.b.localhost.'])(
    '%s is this machine, without asking anybody',
    async (host) => {
      const found = await new Promise((resolve, reject) => {
        const ask = () => Promise.reject(new Error('asked'));
        checkedLookup(true, ask)(host, { all: true }, (error, all) => (error === null ? resolve(all) : reject(error)));
      });
      expect(found).toEqual([
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ]);
    },
  );
});
