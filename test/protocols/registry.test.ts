import { expect, test } from '@jest/globals';
import { protocolNamed, protocols, UnknownProtocol } from '../../protocols/registry.ts';

test('every protocol is found by its own name', () => {
  for (const protocol of protocols) expect(protocolNamed(protocol.name)).toBe(protocol);
});

test('an unknown protocol is refused with the nearest one', () => {
  expect(() => protocolNamed('slice')).toThrow(UnknownProtocol);
  expect(() => protocolNamed('slice')).toThrow(expect.objectContaining({ remedy: 'Did you mean "splice"?' }));
});
