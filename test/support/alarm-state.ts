/** One value of a metric, as it was emitted. */
export interface Datapoint {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
}

/** As CloudFormation has it. */
export interface AlarmProperties {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly AlarmActions: readonly unknown[];
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Statistic: string;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly Period: number;
  readonly TreatMissingData: string;
}

/** Which alarm of the table an alarm is: the one part of its name that is all in capital letters. */
export const alarmIn = (alarmName: string): string =>
  /(?<=_|^)[A-Z]+(_[A-Z]+)*(?=_|$)/.exec(alarmName)?.[0] ?? alarmName;

/** Metrics in lines of a log, by the embedded metric format's own specification. */
export function embeddedMetrics(lines: readonly string[]): Datapoint[] {
  return lines.flatMap((line) => {
    const json = JSON.parse(line) as Record<string, unknown> & {
      _aws?: { CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[] };
    };
    return (json._aws?.CloudWatchMetrics ?? []).flatMap(({ Namespace, Dimensions, Metrics }) =>
      Dimensions.flatMap((names) =>
        Metrics.map(({ Name }) => ({
          namespace: Namespace,
          name: Name,
          dimensions: Object.fromEntries(names.map((name) => [name, String(json[name])])),
          value: Number(json[Name]),
        })),
      ),
    );
  });
}

/**
 * What CloudWatch makes of these periods, oldest first, each with all that was emitted in it. The rules of the service
 * that our alarms need: a metric is its namespace, name and exact dimensions; a period without a value is what the alarm
 * says of missing data.
 */
export function stateOf(alarm: AlarmProperties, periods: readonly (readonly Datapoint[])[]): 'ALARM' | 'OK' {
  const window = periods.slice(-alarm.EvaluationPeriods);
  if (window.length < alarm.EvaluationPeriods) throw new Error('fewer periods than are evaluated');
  const verdicts = window.map((points) => breaches(alarm, points));
  const needed = alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods;
  if (alarm.TreatMissingData === 'ignore' && verdicts.every((each) => each === undefined)) return 'OK';
  const missing = alarm.TreatMissingData === 'breaching';
  return verdicts.filter((each) => each ?? missing).length >= needed ? 'ALARM' : 'OK';
}

function breaches(alarm: AlarmProperties, points: readonly Datapoint[]): boolean | undefined {
  const values = points.filter((point) => isOf(alarm, point)).map(({ value }) => value);
  if (values.length === 0) return undefined;
  const value = STATISTICS[alarm.Statistic]?.(values);
  if (value === undefined) throw new Error(`no such statistic: ${alarm.Statistic}`);
  if (alarm.ComparisonOperator === 'GreaterThanThreshold') return value > alarm.Threshold;
  if (alarm.ComparisonOperator === 'LessThanThreshold') return value < alarm.Threshold;
  throw new Error(`no such comparison: ${alarm.ComparisonOperator}`);
}

const STATISTICS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  Maximum: (values) => Math.max(...values),
  Minimum: (values) => Math.min(...values),
  Sum: (values) => values.reduce((sum, value) => sum + value, 0),
};

export function isOf(alarm: AlarmProperties, { namespace, name, dimensions }: Datapoint): boolean {
  if (alarm.Namespace !== namespace || alarm.MetricName !== name) return false;
  const named = Object.fromEntries(alarm.Dimensions.map(({ Name, Value }) => [Name, Value]));
  const names = Object.keys(named);
  return names.length === Object.keys(dimensions).length && names.every((each) => named[each] === dimensions[each]);
}
