import type { RestorePlan } from '../../core/restore-plan.ts';
import type { RestoreStep } from '../../local/restore-apply.ts';
import type { Shell } from '../shell.ts';

const SAID: Readonly<Record<Exclude<RestoreStep['kind'], 'restoring'>, string>> = {
  checked: 'restored beside, and what was captured',
  'found-checked': 'found restored and checked by an earlier attempt',
  'found-in-place': 'found in place',
  'in-place': 'in place',
};

/** Shows how a restore gets on. */
export async function restoreProgress(shell: Shell, { components }: RestorePlan) {
  const names = components.filter(({ target }) => target.kind === 'database').map(({ component }) => component);
  const view = await shell.progress(names);
  const begun = new Map<string, number>();
  const begin = (component: string) => {
    if (begun.has(component)) return;
    begun.set(component, performance.now());
    view.begin(component);
  };
  return {
    tell: (step: RestoreStep): void => {
      const { component } = step;
      begin(component);
      if (step.kind === 'in-place') return view.end(component, SAID[step.kind]);
      const seconds = (performance.now() - (begun.get(component) ?? 0)) / 1000;
      const { bytes = 0, of = 0 } = 'bytes' in step ? step : {};
      const message = step.kind === 'restoring' ? {} : { message: SAID[step.kind] };
      view.update(component, { bytes, of, ...message }, seconds > 0.5 && bytes > 0 ? bytes / seconds : undefined);
    },
    close: () => view.close(),
  };
}
