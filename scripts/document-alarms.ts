import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALARMS, type Alarm, type AlarmName, type AwsRule, alarmsOfNode, runbookOf } from '../core/alarms.ts';
import { GAUGES, NAMESPACE } from '../core/gauges.ts';

/** `docs/alarms.md`: the table of alarms as people read it. */
export function alarmsPage(): string {
  const rows = Object.entries<Alarm>(ALARMS).map(([name, alarm]) => row(name as AlarmName, alarm));
  const gauges = Object.entries(GAUGES).map(
    ([name, { unit, of }]) => `| \`${name}\` | ${unit.toLowerCase()} | ${of.join(', ')} |`,
  );
  return `${INTRODUCTION}
| alarm | means | raised by | on AWS: one for each | raised when | missing data | wakes |
|---|---|---|---|---|---|---|
${rows.join('\n')}

${ABOUT_AWS}
| metric | unit | dimensions |
|---|---|---|
${gauges.join('\n')}
`;
}

const INTRODUCTION = `# Alarms

Generated from \`core/alarms.ts\` by \`node scripts/document-alarms.ts\`. Each has a runbook of its name under
[runbooks](runbooks): *Means · Look · Do · Do not*.
`;

const ABOUT_AWS = `## On AWS

The watchdog is a Lambda that runs every 5 minutes and writes nothing. It measures what really lies there: it proves the
newest set of each node again (signature against the public key as KMS gives it, the order from the receipts, files by name
and size, snapshots as RDS describes them), and looks at leases, keys, secrets and the quota. It does not listen to events,
so a lost event hides nothing.

- What it cannot measure gets no value. \`breaching\`: the periods of the table without one raise the alarm, so that the
  watchdog is its own dead man's switch. \`ignore\`: the alarm stays as it is, since RPO_EXCEEDED reads the same set and
  breaches.
- Every alarm is told to the topic of all alarms (\`notify.emails\`; each address confirms a message from SNS once). Those
  that wake somebody are drawn together in one composite alarm, which is told to the topic of pages (\`notify.pager\`, an
  HTTPS endpoint). With the context \`ledgerhold:no-composite\`, for emulators, each of them pages by itself.
- A node has an alarm for each of its components and ${alarmsOfNode({ components: [] })} more. A description has what it means, the runbook and a link.
- Drills have metrics and no alarm: on AWS nothing runs them yet, and those that \`ledgerhold drill\` records are shown.
- Not shown here, since only AWS can show it: that SNS delivers, and that CloudWatch evaluates as the tests do.

The dashboard \`ledgerhold-NETWORK\` answers, from the top: are we safe now, which alarms are raised, when was it last
proven, what runs, how runs ended, what runs out, and what failed. Its searches find 500 series of one metric.

Metrics, in the namespace \`${NAMESPACE}\`:
`;

function row(name: AlarmName, { means, serve, aws }: Alarm): string {
  const by = [...(serve ? ['`serve`'] : []), ...(aws === undefined ? [] : ['CloudWatch'])].join(', ');
  const link = `[${name}](${runbookOf(name).replace('docs/', '')})`;
  const onAws = aws === undefined ? ['', '', '', ''] : [aws.each, when(aws), aws.missing, aws.pages ? 'yes' : ''];
  return `| ${[link, means, by, ...onAws].join(' | ')} |`;
}

function when({ metric, breaches, threshold, periods, periodSeconds }: AwsRule): string {
  const names = metric.namespace === NAMESPACE ? [metric.name] : metric.names;
  const limit = threshold === 'rpo' ? '1.5 × `every`' : String(threshold);
  const many = periods === 1 && periodSeconds <= 3600 ? '' : `, ${periods} × ${periodSeconds / 60} minutes`;
  return `${names.map((each) => `\`${each}\``).join(' or ')} ${breaches} ${limit}${many}`;
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, '../docs/alarms.md'), alarmsPage());
