// Loaded before the program: what is written below $HUNG never ends, and a thread waits for it as for a dead mount: nobody
// reads the pipe $PIPE that is opened for writing in its stead. Waits pass $HASTE times as fast.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

const { HUNG, PIPE, HASTE } = process.env;
const { open } = fs.promises;
fs.promises.open = (path, flags, mode) => {
  const isWrite = typeof flags === 'number' && (flags & fs.constants.O_CREAT) !== 0;
  return isWrite && path.startsWith(HUNG) ? open(PIPE, 'w') : open(path, flags, mode);
};

const wait = timers.setTimeout;
timers.setTimeout = (ms, ...rest) => wait(ms / Number(HASTE), ...rest);
const now = performance.now.bind(performance);
performance.now = () => now() * Number(HASTE);

syncBuiltinESMExports();
