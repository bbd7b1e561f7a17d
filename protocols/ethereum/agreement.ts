import { type Answer, type BlockRef, ConsensusStalled, type Evidence, NodeBehind } from '../../core/chain.ts';
import { LedgerholdError } from '../../core/errors.ts';
import { Instant } from '../../core/names.ts';
import type { Clock } from '../../core/ports.ts';
import type { ChainNode } from './chain-node.ts';

export interface AgreementProps {
  readonly monitor: ChainNode;
  readonly validators: readonly ChainNode[];
  /** How many validators must call a block as the monitor does. */
  readonly rule: 'all' | number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** How long an answer of one node is waited for, in milliseconds; default: 30 s. */
  readonly patienceMs?: number;
  /** How far below the monitor's height an end is looked for; default: 10,000 blocks. */
  readonly mostBack?: number;
  /** So many blocks below the monitor's height are left alone, unless the chain itself says what is final; default: 0. */
  readonly confirmations?: number;
}

/** Calls to everybody that an agreement may take. Galloping and bisecting over 10,000 blocks take 28. */
const MOST_ROUNDS = 40;

/**
 * The highest block from `lowest` to `highest`, and not above the monitor's height (or what its chain calls final), that
 * as many validators as the rule says call as the monitor does. Looked for downwards in strides that double, then by
 * halves: who calls a block the same has the same blocks below it. Rejects with `ConsensusStalled`, which says who said
 * what, and with `NodeBehind` if the monitor has no block `lowest`.
 */
export async function agree(lowest: number, highest: number, props: AgreementProps): Promise<Evidence> {
  const { monitor, signal, mostBack = 10_000, confirmations = 0 } = props;
  const head = await monitor.head(signal);
  // Never above its head: a node that is catching up may know what is final before it has it.
  const height = Math.min(head, (await monitor.finalized(signal)) ?? Math.max(head - confirmations, 0));
  if (head < lowest) {
    const remedy = 'Nothing is wrong with the history. Wait until the node has caught up, or name another monitor.';
    throw new NodeBehind(`${monitor.name} is at block ${head}, and the history ends with block ${lowest}`, remedy);
  }
  const top = Math.max(lowest, Math.min(height, highest));
  const bottom = Math.max(lowest, top - mostBack);
  const poll = await polling(props, bottom);
  let good = await downwards(top, bottom, poll);
  if (good === undefined) throw stalled(poll, bottom);
  // One above what is known to be agreed is known not to be: then it is the highest.
  for (let low = good.end.number, high = Math.min(top + 1, poll.lowestRefused()); high - low > 1; ) {
    const middle = low + Math.floor((high - low) / 2);
    const vote = await poll.ask(middle);
    if (vote.agreed) [low, good] = [middle, vote];
    else high = middle;
  }
  return evidenceOf(good, poll, props);
}

interface Vote {
  readonly end: BlockRef;
  readonly agreed: boolean;
  readonly answers: readonly Answer[];
}

interface Poll {
  ask(number: number): Promise<Vote>;
  /** The lowest block that was not agreed upon; infinite while there is none. */
  lowestRefused(): number;
  /** The last word of each validator. */
  last(): readonly Answer[];
  rounds(): number;
}

async function downwards(top: number, bottom: number, poll: Poll): Promise<Vote | undefined> {
  for (let [number, stride] = [top, 1]; ; stride *= 2) {
    const vote = await poll.ask(number);
    if (vote.agreed) return vote;
    if (number === bottom) return undefined;
    number = Math.max(bottom, number - stride);
  }
}

/** Asks everybody, and gives up on who was silent or is of another chain: it would cost its patience in every round. */
async function polling(props: AgreementProps, bottom: number): Promise<Poll> {
  const { validators, rule, monitor } = props;
  const needed = rule === 'all' ? validators.length : rule;
  const out = new Map<string, Answer>(await foreigners(props));
  const last = new Map<string, Answer>(out);
  let [rounds, refused] = [1, Number.POSITIVE_INFINITY];
  return {
    async ask(number) {
      rounds += 1;
      const left = validators.length - out.size;
      if (rounds > MOST_ROUNDS || left < needed) throw stalled({ last: () => [...last.values()] }, bottom);
      const [hash] = await monitor.hashes([number], props.signal);
      if (hash === undefined) throw new NodeBehind(`${monitor.name} has no block ${number} any more`, 'Run again.');
      const asked = validators.filter(({ name }) => !out.has(name));
      const answers = await Promise.all(asked.map((validator) => answerOf(validator, { number, hash }, props)));
      for (const answer of answers) {
        last.set(answer.validator, answer);
        if (answer.outcome === 'silent') out.set(answer.validator, answer);
      }
      const agreed = answers.filter(({ outcome }) => outcome === 'agrees').length >= needed;
      if (!agreed) refused = Math.min(refused, number);
      return { end: { number, hash }, agreed, answers };
    },
    lowestRefused: () => refused,
    last: () => [...last.values()],
    rounds: () => rounds,
  };
}

/** Validators of another chain, and those that do not say of which they are. */
async function foreigners(props: AgreementProps): Promise<[string, Answer][]> {
  const [hash] = await props.monitor.hashes([0], props.signal);
  // A node that has dropped its oldest blocks cannot tell: then the blocks themselves decide.
  if (hash === undefined) return [];
  const answers = await Promise.all(props.validators.map((each) => answerOf(each, { number: 0, hash }, props)));
  return answers.flatMap((answer): [string, Answer][] => {
    if (answer.outcome === 'differs') return [[answer.validator, { ...answer, outcome: 'another chain' }]];
    return answer.outcome === 'silent' ? [[answer.validator, answer]] : [];
  });
}

async function answerOf(validator: ChainNode, block: BlockRef, props: AgreementProps): Promise<Answer> {
  const { clock, signal, patienceMs = 30_000 } = props;
  // Not `AbortSignal.any` over a timeout: a collected one never fires.
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(new Error('silent')), patienceMs);
  const forward = () => patience.abort(signal?.reason);
  signal?.addEventListener('abort', forward, { once: true });
  const said = (hash: string | null, outcome: Answer['outcome'], detail?: string): Answer => ({
    ...{ validator: validator.name, at: Instant.parse(clock.now().toISOString()), number: block.number, hash, outcome },
    ...(detail !== undefined && { detail }),
  });
  try {
    const [hash] = await abortable(validator.hashes([block.number], patience.signal), patience.signal);
    if (hash === undefined) return said(null, 'behind');
    return said(hash, hash === block.hash ? 'agrees' : 'differs');
  } catch (error) {
    signal?.throwIfAborted();
    if (patience.signal.aborted) return said(null, 'silent', `no answer within ${patienceMs} ms`);
    if (!(error instanceof LedgerholdError)) throw error;
    // Its name alone: members see the evidence, and a message may say where a node is.
    return said(null, 'silent', error.name);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', forward);
  }
}

/** A node that does not heed the signal must not hold the others up. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** The answers about the end, and the last word of who does not agree on it. */
function evidenceOf({ end, answers }: Vote, poll: Poll, { rule, monitor }: AgreementProps): Evidence {
  const agreeing = answers.filter(({ outcome }) => outcome === 'agrees');
  const others = poll.last().filter(({ validator }) => agreeing.every((each) => each.validator !== validator));
  return { end, rule, monitor: monitor.name, answers: [...agreeing, ...others], rounds: poll.rounds() };
}

function stalled({ last }: Pick<Poll, 'last'>, bottom: number): ConsensusStalled {
  const words = last().map(({ validator, number, hash, outcome, detail }) => {
    const what = hash === null ? (detail ?? `has no block ${number}`) : `calls block ${number} ${hash}`;
    return `${validator} ${outcome === 'another chain' ? 'is of another chain: it ' : ''}${what}`;
  });
  return new ConsensusStalled(
    `the validators agree on no block from ${bottom} on: ${words.join('; ')}`,
    'Look at the validators that differ or are silent. Where one is gone for good, take it out of the config, or say with `agreement` how many must agree.',
  );
}
