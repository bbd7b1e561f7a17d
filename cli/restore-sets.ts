import {
  type Acceptable,
  type Candidate,
  type Choice,
  chooseSet,
  NoSafeSet,
  objections,
  type PassedOver,
  type Wish,
} from '../core/choose-set.ts';
import { setId } from '../core/names.ts';
import type { Finding } from '../core/proof.ts';
import type { Vault } from '../core/vault.ts';
import { takenAt } from '../local/restore-age.ts';
import { manifestSeqs, NoSuchSet, nodesIn, readManifest } from '../vault/sets.ts';
import { type ProveOptions, proveOne } from '../vault/sound-set.ts';
import { type SetReport, verify } from '../vault/verify.ts';
import { UsageError } from './usage-error.ts';

export interface SetWish {
  /** Its id; absent for the newest that is good. */
  readonly set?: string;
  /** Not sealed after this. */
  readonly to?: Date;
  readonly accept: readonly Acceptable[];
}

export interface ChooseOptions extends ProveOptions {
  /** Reads every byte of whatever would be chosen, and passes over what is damaged. */
  readonly full: boolean;
  readonly note: (line: string) => void;
}

export type Chosen = Extract<Choice<Candidate>, { ok: true }>;

/** A node's set to restore from, and why each newer one was passed over. Rejects with `NoSafeSet`. */
export async function chooseFrom(node: string, wish: SetWish, now: Date, options: ChooseOptions): Promise<Chosen> {
  const { sets } = await verify({ ...options, setsAlone: true, depth: 'structure' });
  const reports = sets.filter(({ set }) => set.startsWith(`${node}/`));
  const policy = await policyFor(node, reports, options);
  const candidates = new Map(reports.map((report) => [report.set, candidateOf(report)]));
  // Each round looks closer at one set, so that there are no more rounds than sets.
  for (;;) {
    const choice = chooseSet([...candidates.values()], { ...wish, now, policy });
    if (!choice.ok) throw new NoSafeSet(choice);
    if (choice.chosen.takenAt !== undefined) return choice;
    candidates.set(choice.chosen.id, await lookCloser(node, choice.chosen, options));
  }
}

/** Where nothing can be read there is nothing to be too old. */
const NO_LIMIT: Wish['policy'] = { maxAgeDays: Number.POSITIVE_INFINITY, maxAgeReason: '' };

/** The protocol's, as the newest set has it that nothing speaks against: of a damaged one no word counts. */
async function policyFor(node: string, reports: readonly SetReport[], options: ProveOptions): Promise<Wish['policy']> {
  const whole = reports.findLast(({ sealedAt, status }) => sealedAt !== undefined && status !== 'violated');
  const manifest = whole && (await readManifest(options.vault, node, seqOf(whole)));
  return manifest === undefined ? NO_LIMIT : options.protocolNamed(manifest.value.protocol).restore;
}

async function lookCloser(node: string, chosen: Candidate, options: ChooseOptions): Promise<Candidate> {
  const set = await proveOne(node, chosen.seq, options);
  if (!options.full) return { ...chosen, takenAt: takenAt(set) };
  options.note(`reading every byte of ${chosen.id}`);
  const { sets } = await verify({ ...options, sets: [chosen.id], depth: 'bytes' });
  const [report = set.report] = sets;
  return { ...candidateOf(report), takenAt: takenAt(set) };
}

/** The newest set that only doubt or age may speak against, and why each newer one is none. Rejects with `NoSafeSet`. */
export async function newestUsable(
  named: string | undefined,
  now: Date,
  options: ProveOptions,
): Promise<{ node: string; seq: number; passedOver: readonly PassedOver[] }> {
  const node = await nodeMeant(options.vault, named);
  const passedOver: PassedOver[] = [];
  for (const seq of (await manifestSeqs(options.vault, node)).toReversed()) {
    const id = setId(node, seq);
    const { sets } = await verify({ ...options, sets: [id], depth: 'structure' });
    const against = sets.flatMap((report) => objections(candidateOf(report), { now, policy: NO_LIMIT }));
    const why = against.filter(({ hazard }) => hazard !== 'unproven').map((objection) => objection.why);
    if (why.length === 0) return { node, seq, passedOver };
    passedOver.push({ id, why });
  }
  const hazards = [{ hazard: 'absent' as const, why: 'something speaks against every set' }];
  throw new NoSafeSet({ ok: false, hazards, passedOver });
}

/** The node named, or the only one with sets; no manifest is read. Rejects with `NoSuchSet` or `UsageError`. */
export async function nodeMeant(vault: Vault, named: string | undefined): Promise<string> {
  const nodes: string[] = [];
  for (const node of named === undefined ? await nodesIn(vault) : [named]) {
    if ((await manifestSeqs(vault, node)).length > 0) nodes.push(node);
  }
  const [only, another] = nodes;
  if (only === undefined) throw new NoSuchSet(named === undefined ? 'latest' : `of ${named}`, []);
  if (another === undefined) return only;
  throw new UsageError('the vault holds sets of several nodes', `Name one with --node: ${nodes.join(', ')}.`);
}

const ABOUT_ORDER = ['ORDER_VIOLATED', 'POSITIONS_VIOLATED'];

/** Every violation is a missing artifact, a violated order, or damage: none is without its own word. */
function candidateOf(report: SetReport): Candidate {
  const { set, sealedAt, expired, findings } = report;
  const violations = findings.filter(({ level }) => level === 'violation');
  const missing = violations.filter(({ code }) => code === 'ARTIFACT_MISSING');
  const order = violations.filter(({ code }) => ABOUT_ORDER.includes(code));
  const rest = violations.filter((finding) => !missing.includes(finding) && !order.includes(finding));
  const damage = rest.length > 0 ? `damaged: ${said(rest)}` : sealedAt === undefined ? said(findings) : undefined;
  return {
    ...{ id: set, seq: seqOf(report), sealedAt: sealedAt ?? 'never', expired },
    verdict: order.length > 0 ? 'violated' : findings.some(isDoubt) ? 'unknown' : 'proven',
    missing: missing.map(({ about }) => about),
    // A manifest of a later version is whole, and yet nothing that this one can restore.
    ...(damage === undefined ? {} : { damage }),
  };
}

const said = (findings: readonly Finding[]): string => findings.map(({ text }) => text).join('; ');

const isDoubt = ({ level }: Finding): boolean => level === 'unknown';

const seqOf = ({ set }: SetReport): number => Number(set.split('/')[1]);
