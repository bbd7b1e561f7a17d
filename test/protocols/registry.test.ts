import { expect, test } from '@jest/globals';
import { orderingNamed, UnknownProtocol } from '../../protocols/orderings.ts';
import { protocolNamed, protocols } from '../../protocols/registry.ts';

test('every protocol is found by its own name', () => {
  for (const protocol of protocols) expect(protocolNamed(protocol.name)).toBe(protocol);
});

test('every protocol has the order that the steps of a backup load', () => {
  for (const protocol of protocols) expect(protocol).toMatchObject(orderingNamed(protocol.name));
});

test('an unknown protocol is refused with the nearest one', () => {
  expect(() => protocolNamed('slice')).toThrow(UnknownProtocol);
  expect(() => protocolNamed('slice')).toThrow(expect.objectContaining({ remedy: 'Did you mean "splice"?' }));
});
