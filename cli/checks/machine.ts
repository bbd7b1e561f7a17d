import { nodeWarnings } from '../warnings.ts';
import { type Check, type Finding, ok, warn } from './check.ts';

/** What the config risks, and what this machine has to say to its times. */
export const machineCheck: Check = {
  id: 'machine',
  title: 'this machine',
  run: async ({ loaded, nodes, shell: { clock } }) => {
    const findings: Finding[] = [];
    for (const prepared of nodes) {
      findings.push(...(await nodeWarnings(loaded, prepared)).map((text) => ({ level: 'warn', text }) as const));
    }
    const { timeZone } = loaded.config;
    const local = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
    findings.push(ok(`time zone ${timeZone}: it is ${local.format(clock.now())} there`));
    return clock.now().getUTCFullYear() < 2025
      ? [...findings, warn(`this machine’s clock says ${clock.now().toISOString()}`, 'Set the clock.')]
      : findings;
  },
};
