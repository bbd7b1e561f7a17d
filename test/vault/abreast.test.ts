import { expect, test } from '@jest/globals';
import { abreast, type Walker } from '../../vault/abreast.ts';
import { VirtualTime } from '../support/virtual-time.ts';

class Pupil implements Walker {
  waited = 0;
  waitedUntil = 0;
  fell = false;
  fallBehind() {
    this.fell = true;
  }
}

/** So many objects one after the other, of which each takes so long for one of them. Resolves to who fell behind. */
async function objects(count: number, milliseconds: (walker: number, object: number) => number, walkers = 5) {
  const time = new VirtualTime();
  const all = Array.from({ length: walkers }, () => new Pupil());
  const never = AbortSignal.any([]);
  const walk = async () => {
    for (let object = 0; object < count; object++) {
      const goOn = all.filter(({ fell }) => !fell);
      const ready = (walker: Pupil) => time.after(milliseconds(all.indexOf(walker), object), never);
      await abreast(goOn, ready, { timer: time, since: 0 });
    }
  };
  await time.drive(walk());
  return all.flatMap(({ fell }, walker) => (fell ? [walker] : []));
}

test('members that are late in turn, as on one disk, go on together', async () => {
  expect(await objects(500, (walker, object) => (object % 5 === walker ? 30 : 5))).toEqual([]);
});

test('one that is late each time goes on alone, though the others are late in turn', async () => {
  expect(await objects(500, (walker, object) => (walker === 2 ? 40 : object % 5 === walker ? 30 : 5))).toEqual([2]);
});

test('of several objects on their way at once the time that one is late counts once', async () => {
  const time = new VirtualTime();
  const all = Array.from({ length: 4 }, () => new Pupil());
  const never = AbortSignal.any([]);
  const wait = () => abreast(all, (walker) => time.after(walker === all[0] ? 85 : 5, never), { timer: time, since: 0 });
  await time.drive(Promise.all([wait(), wait(), wait(), wait()]));
  expect(all.map(({ fell, waited }) => [fell, waited])).toEqual([[false, 80], ...Array(3).fill([false, 0])]);
});
