import { canonicalRecords, type History } from '../../vault/history.ts';
import { bytesText, table } from './units.ts';

export function historyText(node: string, vault: string, found: History): string[] {
  const files = canonicalRecords(found);
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  const left = found.entries.length - files.length;
  const head = found.head?.value.head;
  return [
    `${node}, in ${vault}`,
    ...table(
      found.entries.map(({ record: { value }, canonical }) => [
        `  ${value.file.name}`,
        `${value.end.number - value.start.number + 1} blocks`,
        bytesText(value.file.size),
        canonical ? '' : 'not of the chain any more',
      ]),
    ),
    `${files.length} files, ${bytesText(bytes)}${left === 0 ? '' : `; ${left} that the chain has left`}`,
    ...(head === null || head === undefined ? [] : [`ends with block ${head.number}, ${head.hash}`]),
  ];
}
