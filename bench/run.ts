import { readdirSync } from 'node:fs';
import type { BenchResult } from './result.ts';

/** A benchmark is a file here that exports `run`; its name is the file's. */
const NAMES = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && !['run.ts', 'result.ts', 'raw-block-server.ts'].includes(file))
  .map((file) => file.slice(0, -'.ts'.length))
  .sort();

const [name, ...flags] = process.argv.slice(2);
if (name === undefined) {
  console.log(NAMES.join('\n'));
} else if (NAMES.includes(name)) {
  const { run } = (await import(`./${name}.ts`)) as { run: () => Promise<BenchResult> };
  report(await run(), flags.includes('--json'));
} else {
  console.error(`there is no benchmark ${name}; there are ${NAMES.join(', ')}`);
  process.exitCode = 2;
}

/** Ends with one JSON object, in either form. */
function report(result: BenchResult, json: boolean): void {
  const { unit, ours, peer, ratio, limit } = result;
  const line = (who: string, value: number) => console.log(`${who.padEnd(40)} ${value.toFixed(2)} ${unit}`);
  if (!json) {
    line('ours', ours);
    line(peer.name, peer.value);
    line(limit.name, limit.value);
    console.log(`${'ours / peer'.padEnd(40)} ${ratio.toFixed(2)}`);
  }
  console.log(JSON.stringify(result));
}
