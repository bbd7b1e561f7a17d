import type { Finding } from '../checks/check.ts';

export interface Examined {
  readonly id: string;
  readonly title: string;
  readonly findings: readonly Finding[];
}

export function doctorNouns(examined: readonly Examined[]): Record<string, unknown> {
  return {
    findings: examined.flatMap(({ id, findings }) =>
      findings.map(({ level, text, remedy }) => ({
        check: id,
        level,
        text,
        ...(remedy === undefined ? {} : { remedy }),
      })),
    ),
  };
}

export function doctorText(examined: readonly Examined[]): string[] {
  const width = Math.max(...examined.map(({ title }) => title.length));
  const lines = examined.flatMap(({ title, findings }) =>
    findings.flatMap(({ level, text, remedy }, index) => [
      `${level.padEnd(8)}${(index === 0 ? title : '').padEnd(width)}  ${text}`,
      ...(remedy === undefined ? [] : [`${' '.repeat(8 + width)}    → ${remedy}`]),
    ]),
  );
  return [...lines, '', summary(examined.flatMap(({ findings }) => findings))];
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const parts = [
    [count('fail'), 'to mend'],
    [count('unknown'), 'unknown'],
    [count('warn'), 'to think about'],
    [count('ok'), 'fine'],
  ] as const;
  const told = parts.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}`);
  return `${told.join(', ')}. Nothing was changed.`;
}
