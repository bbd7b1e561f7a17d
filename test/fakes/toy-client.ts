import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

/**
 * A client of geth's command line that believes everything: `init` keeps the genesis, `import` appends the file to
 * `chain.rlp`, and otherwise it serves TOY_HEAD as its newest block until it is told to end. TOY_REFUSES: an import of
 * bytes with this in hexadecimal ends as geth's does; TOY_STATELESS: it has no state; TOY_HANGS: an import
 * does not end by itself. TOY_LOG gets each command.
 */
const args = process.argv.slice(2);
const valueOf = (flag: string): string => args[args.indexOf(flag) + 1] ?? '';
const datadir = valueOf('--datadir');
const { TOY_HEAD = '{}', TOY_REFUSES, TOY_STATELESS, TOY_HANGS, TOY_LOG } = process.env;
const verb = ['init', 'import'].find((each) => args.includes(each)) ?? 'serve';
if (TOY_LOG !== undefined) appendFileSync(TOY_LOG, `${verb}\n`);

if (verb === 'init') {
  mkdirSync(datadir, { recursive: true });
  writeFileSync(join(datadir, 'genesis.json'), readFileSync(valueOf('init')));
} else if (verb === 'import' && TOY_HANGS !== undefined) {
  setInterval(() => {}, 1000);
} else if (verb === 'import') {
  const bytes = readFileSync(valueOf('import'));
  if (TOY_REFUSES !== undefined && bytes.includes(TOY_REFUSES, 0, 'hex')) {
    process.stderr.write('INFO reading\nERROR Import error err="invalid block 3: unknown ancestor"\n');
    process.exitCode = 1;
  } else appendFileSync(join(datadir, 'chain.rlp'), bytes);
} else {
  const newest = JSON.parse(TOY_HEAD);
  const results = new Map<unknown, unknown>([
    ['web3_clientVersion', 'Toy/v1'],
    ['eth_getBlockByNumber', newest],
  ]);
  if (TOY_STATELESS === undefined) results.set('eth_getBalance', '0x0');
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => {
      const { id, method } = JSON.parse(text);
      const missing = { error: { code: -32000, message: 'missing trie node' } };
      const answer = results.has(method) ? { result: results.get(method) } : missing;
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
    });
  });
  server.listen(Number(valueOf('--http.port')), '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));
}
