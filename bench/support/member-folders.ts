import { createCipheriv, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Destination } from '../../core/delivery.ts';
import { type Member, MemberId } from '../../core/members.ts';
import { memberPrefix, NetworkName } from '../../core/names.ts';
import type { Vault } from '../../core/vault.ts';
import { folderDestination } from '../../local/folder-destination.ts';
import { folderVault } from '../../local/folder-vault.ts';
import { ToyHistory, unprovenSigner } from '../../test/support/toy-deliveries.ts';
import { checkMember } from '../../vault/check-members.ts';
import { type DeliverPorts, type DeliveryEnd, deliver } from '../../vault/deliver.ts';
import { actOn, readMembers } from '../../vault/members.ts';

const NETWORK = NetworkName.parse('acme');
const clock = { now: () => new Date() };

/** What a member is given: no receipt, no registry. */
export const SHARED = /^(chain\/|keys\/|format\.json)/;

/** A vault in `folder` whose chain has so many files of so many bytes, of which nothing can be made smaller. */
export async function chainVault(folder: string, shape: ChainShape): Promise<Vault> {
  const vault = folderVault(folder);
  const history = new ToyHistory(vault);
  const noise = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  for (let at = 0; at < shape.files; at += shape.filesAManifest) {
    const count = Math.min(shape.filesAManifest, shape.files - at);
    await history.seal(...Array.from({ length: count }, () => noise.update(Buffer.alloc(shape.size))));
  }
  return vault;
}

export interface ChainShape {
  readonly files: number;
  /** Bytes of each. */
  readonly size: number;
  readonly filesAManifest: number;
}

/** Where the objects of a member lie. */
export const shareOf = (folder: string, member: string): string => join(folder, member, memberPrefix(NETWORK, member));

/** Backup targets of that vault, each with an empty folder below `folder`; `standIn` takes the place of some. */
export class MemberFolders {
  readonly #registry;
  readonly #names: readonly string[];
  readonly #folder: string;

  constructor(
    vault: Vault,
    folder: string,
    names: readonly string[],
    standIn: (member: string) => Destination | undefined = () => undefined,
  ) {
    this.#folder = folder;
    this.#names = names;
    const destinationOf = ({ member }: Member) =>
      standIn(member) ?? folderDestination(join(folder, member), NETWORK, member);
    this.#registry = { vault, clock, network: NETWORK, by: 'a benchmark', destinationOf };
  }

  async join(): Promise<void> {
    for (const member of this.#names) {
      const path = join(this.#folder, member);
      await mkdir(path, { recursive: true });
      const act = (what: Parameters<typeof actOn>[2]) => actOn(this.#registry, MemberId.parse(member), what);
      const registered = await act({ what: 'register', destination: { kind: 'folder', path } });
      await checkMember(this.#registry, registered.value);
      await act({ what: 'set', environmentBackupTarget: true });
    }
  }

  /** As `ledgerhold deliver` does it. */
  async deliver(onObject: DeliverPorts['onObject'] = () => {}): Promise<DeliveryEnd[]> {
    const members = (await readMembers(this.#registry.vault)).members.map(({ value }) => value);
    const meant = members.filter(({ member }) => this.#names.includes(member));
    const signal = AbortSignal.any([]);
    return deliver({ ...this.#registry, signer: unprovenSigner, signal, onObject }, meant);
  }
}
