import { expect, test } from '@jest/globals';
import { AgeDamaged, ageDecryption, ageEncryption, ageIdentity, WrongIdentity } from '../../io/age.ts';
import { collect, cut, sample } from '../support/bytes.ts';
import { failureOf } from '../support/said.ts';

test('each single flipped bit of an age file is found', async () => {
  const { identity, recipient } = await ageIdentity();
  const sealed = await collect(ageEncryption([recipient]).filter({})(cut(sample(40), 40)));
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const flipped = Buffer.from(sealed);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    const error = await failureOf(collect(ageDecryption(identity)(cut(flipped, 500))));
    expect(error instanceof AgeDamaged || error instanceof WrongIdentity).toBe(true);
  }
}, 60_000);
