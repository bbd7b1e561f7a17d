import { type Command, InvalidArgumentError, Option } from 'commander';
import { MemberChange } from '../../core/member-api.ts';
import {
  type AddFlags,
  membersAdd,
  membersCheck,
  membersList,
  membersRemove,
  membersResume,
  membersSuspend,
} from '../member-acts.ts';
import { membersReceipts } from '../member-receipts.ts';
import { membersSet, type SetFlags } from '../member-set.ts';
import { TEMPLATES } from '../render/member-templates.ts';
import type { Act } from '../shell.ts';
import { type MembersPolicyFlags, membersPolicy } from './members-policy.ts';

const ID = ['<id>', 'as the configuration or `members list` has it'] as const;

const WITH_FILES = ['--chain-files', 'chain files, too: so it is unless something else was said'] as const;
const WITHOUT_FILES = ['--no-chain-files', 'their records, evidence and manifests alone: a witness'] as const;

export function define(command: Command, act: Act): void {
  command.command('list').description('every member: state, destination, lag, last error').action(act(membersList));
  command
    .command('add')
    .description('register or change a destination, and check it; nothing is delivered before --deliver or resume')
    .argument(...ID)
    .option('--folder <path>', 'on this machine: it must exist')
    .option('--bucket <name>', 'with --region and --account: what the configuration does not say')
    .option('--region <region>')
    .option('--account <digits>', 'the account that owns the bucket')
    .option('--kms-key <arn>', 'the member’s own key that its bucket encrypts with; without it SSE-S3')
    .option('--endpoint <url>', 'of an S3 server other than AWS')
    .option(...WITH_FILES)
    .option(...WITHOUT_FILES)
    .option('--again', 'register the same destination anew: all is delivered again, what is there stays as it is')
    .option('--deliver', 'deliver all earlier files and new ones from now on, if the check finds nothing')
    .action(act<AddFlags>(membersAdd));
  command
    .command('check')
    .description('look at destinations by trying: a canary is written, an overwrite and a delete must be refused')
    .argument('[id]', 'all that are registered, if left out')
    .action(act(membersCheck));
  command
    .command('set')
    .description('what goes to it from now on; what is not named stays, and so does what it has')
    .argument(...ID)
    .option('--target', 'a backup target: exactly what is missing, files from a pause included, then new ones')
    .option('--no-target', 'a pause: nothing further, until --target; the member itself may end it, too')
    .addOption(
      new Option('--chains <names>', 'these alone, with commas between them').argParser(chains).conflicts('allChains'),
    )
    .option('--all-chains', 'every one, also those that the network has later')
    .option(...WITH_FILES)
    .option(...WITHOUT_FILES)
    .action(act<SetFlags>(membersSet));
  command
    .command('suspend')
    .description('nothing further is delivered; what is there stays')
    .argument(...ID)
    .option('--reason <text>', 'told in the registry and in status')
    .action(act<{ reason?: string }>(membersSuspend));
  command
    .command('resume')
    .description('check, and deliver all that is missing and new ones from now on')
    .argument(...ID)
    .action(act(membersResume));
  command
    .command('remove')
    .description('the member leaves: it keeps what it has, and gets nothing further')
    .argument(...ID)
    .action(act(membersRemove));
  command
    .command('receipts')
    .description('its signed receipts, oldest first, to be given to it, and proofs of what was read back there')
    .argument(...ID)
    .option(
      '--out <folder>',
      'write each with its signature beside it, byte for byte, proofs into `proofs` there; --json prints both',
    )
    .action(act<{ out?: string }>(membersReceipts));
  command
    .command('policy')
    .description('print what a member creates in its own account: a bucket that lets us add files, and nothing else')
    .addOption(
      new Option('--for <tool>', 'a template for it; json: the policy alone, for a bucket that there is')
        .choices(TEMPLATES)
        .makeOptionMandatory(),
    )
    .option('--member <id>', 'whose; default: the only one of the configuration')
    .option('--bucket <name>', 'its bucket; default: the configuration’s, or an account-regional name')
    .option('--kms [arn]', 'encrypt by a key of the member’s: by this one, or by a new one')
    .option('--object-lock-days <days>', 'lock what was delivered for so many days, in governance mode')
    .option('--grant-reads', 'let us read back what was delivered, to prove that it is still the same')
    .action(act<MembersPolicyFlags>(membersPolicy));
}

function chains(text: string): readonly string[] {
  const parsed = MemberChange.shape.chains.safeParse([...new Set(text.split(','))]);
  if (parsed.success && parsed.data) return parsed.data;
  throw new InvalidArgumentError('it is names of chains, 100 at most, such as one,another.');
}
