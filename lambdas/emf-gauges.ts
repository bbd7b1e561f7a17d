import { Metrics } from '@aws-lambda-powertools/metrics';
import { type Dimension, GAUGES, NAMESPACE } from '../core/gauges.ts';
import type { Gauges } from '../core/ports.ts';

/** The metrics of a Lambda, in its log (EMF), where CloudWatch finds them: nothing is called, and nothing can be lost apart. */
export function emfGauges(): Gauges {
  const metrics = new Metrics({ namespace: NAMESPACE });
  // Else every metric would have the function's name beside the dimensions that alarms name.
  metrics.clearDefaultDimensions();
  return {
    set: (name, value, of) => {
      const { unit, of: dimensions } = GAUGES[name];
      const values: Readonly<Partial<Record<Dimension, string>>> = of;
      for (const dimension of dimensions) metrics.addDimension(dimension, values[dimension] ?? '');
      metrics.addMetric(name, unit, value);
      metrics.publishStoredMetrics();
    },
  };
}
