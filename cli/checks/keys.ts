import { setId } from '../../core/names.ts';
import { openArtifact } from '../../vault/artifact.ts';
import { newestFirst } from '../../vault/newest.ts';
import { readReceipts, type StoredManifest } from '../../vault/sets.ts';
import { openEncryption, openSigner } from '../context.ts';
import { type Check, type CheckContext, type Finding, findingsOf, ok, warn } from './check.ts';

/** The signing key is there, is for us alone, and is the one that signed last. */
export const signingCheck: Check = {
  id: 'signing',
  title: 'signing key',
  run: async (context) => {
    const fingerprint = await (await openSigner(context.loaded)).fingerprint();
    const findings = [ok(`fingerprint ${fingerprint}`)];
    for (const { value } of await newestManifests(context)) {
      if (value.signer === fingerprint) continue;
      const text = `${setId(value.node, value.seq)} was signed by another key, ${value.signer}`;
      findings.push(warn(text, 'If the key was changed on purpose, give both public keys to whoever verifies.'));
    }
    return findings;
  },
};

/** What is stored is encrypted, and somebody can open it. */
export const encryptionCheck: Check = {
  id: 'encryption',
  title: 'encryption',
  run: async (context) => {
    const { encoding } = await openEncryption(context.loaded);
    if (encoding === undefined) {
      return [warn('encryption: none: what is stored holds private keys in clear', 'Give encryption.recipients.')];
    }
    return [ok(`artifacts are encrypted (${encoding})`), ...(await opened(context))];
  },
};

/** An identity that opens nothing is found out before anybody has to trust it. */
async function opened(context: CheckContext): Promise<readonly Finding[]> {
  const { decrypt, vault } = context;
  if (decrypt === undefined) {
    return [warn('that somebody can open them is unproven', 'Run doctor with --identity FILE where that file is.')];
  }
  const manifests = await newestManifests(context);
  if (manifests.length === 0) return [unopened('nothing is stored yet')];
  const findings: Finding[] = [];
  for (const manifest of manifests) {
    findings.push(
      ...(await findingsOf(async () => {
        const artifact = await smallestEncrypted(context, manifest);
        const { node, seq } = manifest.value;
        if (artifact === undefined) return [unopened(`${setId(node, seq)} holds nothing that is encrypted`)];
        // To its end: only then is it proved to be whole.
        for await (const _ of openArtifact(vault, artifact, decrypt));
        return [ok(`the identity opens ${artifact.key}`)];
      })),
    );
  }
  return findings;
}

const unopened = (why: string): Finding =>
  warn(`that the identity opens what is stored is unproven: ${why}`, 'Run a backup, and doctor again.');

async function smallestEncrypted({ vault }: CheckContext, { value }: StoredManifest) {
  const artifacts = [];
  for (const { start, end } of value.components) {
    const receipts = await readReceipts(vault, { start: start.key, end: end.key });
    artifacts.push(...(receipts.end?.value.artifacts ?? []));
  }
  const encrypted = artifacts.filter(({ encodings }) =>
    encodings.some((one) => one === 'age' || one === 'kms-envelope-v1'),
  );
  return encrypted.sort((a, b) => a.size - b.size)[0];
}

async function newestManifests({ vault, nodes }: CheckContext): Promise<StoredManifest[]> {
  const manifests: StoredManifest[] = [];
  for (const { node } of nodes) {
    for await (const manifest of newestFirst(vault, node.name)) {
      manifests.push(manifest);
      break;
    }
  }
  return manifests;
}
