import { orderingNamed } from '../../protocols/orderings.ts';
import { serve } from '../serve.ts';
import { planWaves } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(planWaves, run, () => ({ protocolNamed: orderingNamed }));
