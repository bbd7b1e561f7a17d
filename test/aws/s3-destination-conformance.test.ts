import { behavesLikeADestination } from '../conformance/behaves-like-a-destination.ts';
import { addAndRead, memberBucketWorld, PREFIX, SOURCE } from '../support/member-buckets.ts';

/** With a canary of its own for each check. */
async function bucket(kind: 'streaming' | 'copying', partsFrom = Number.MAX_SAFE_INTEGER, reads = false) {
  const world = await memberBucketWorld({ partsFrom });
  if (reads) world.fake.memory.allows = addAndRead(world.fake.memory);
  let now = Date.parse('2026-11-24T12:00:00Z');
  world.clock.now = () => new Date((now += 1000));
  return {
    destination: world[kind],
    held: async (key: string) => world.held(key),
    plant: async (key: string, bytes: Uint8Array) => world.lay(PREFIX + key, bytes),
    provide: async (key: string, bytes: Uint8Array) => world.lay(SOURCE + key, bytes),
    cleanup: world.stop,
  };
}

behavesLikeADestination('a bucket that is sent bodies', () => bucket('streaming'));
behavesLikeADestination('a bucket that is sent large bodies in parts', () => bucket('streaming', 1_000_000));
behavesLikeADestination('a bucket that copies from the vault', () => bucket('copying'), { copies: true });
behavesLikeADestination('a bucket that grants reads', () => bucket('streaming', Number.MAX_SAFE_INTEGER, true), {
  readsBack: true,
});
