import type { Captured } from '../../core/receipts.ts';
import type { CaptureEvent } from '../../local/captures.ts';
import type { ProgressView } from './progress.ts';
import { bytesText, secondsText } from './units.ts';

/** Shows what captures tell of themselves. */
export function captureProgress(
  view: ProgressView,
  now: () => number = () => performance.now(),
): { tell(component: string, event: CaptureEvent): void; close(): Promise<void> } {
  const begun = new Map<string, number>();
  const secondsOf = (component: string) => (now() - (begun.get(component) ?? now())) / 1000;
  return {
    tell: (component, event) => {
      switch (event.kind) {
        case 'started':
          begun.set(component, now());
          return view.begin(component);
        case 'progress':
          return view.update(component, event.progress, rateOf(event.progress.bytes, secondsOf(component)));
        case 'ended':
          return view.end(component, capturedText(event.captured, secondsOf(component)));
        case 'failed':
          return view.fail(component, event.error instanceof Error ? event.error.message : String(event.error));
      }
    },
    close: () => view.close(),
  };
}

/** Bytes a second since the start; in the first moments it would say nothing. */
const rateOf = (bytes: number, seconds: number): number | undefined => (seconds < 0.5 ? undefined : bytes / seconds);

function capturedText({ artifacts }: Captured, seconds: number): string {
  const taken = artifacts.reduce((sum, { plain }) => sum + plain.size, 0);
  const stored = artifacts.reduce((sum, { size }) => sum + size, 0);
  return `${bytesText(taken)} in ${secondsText(seconds)}, ${bytesText(stored)} stored`;
}
