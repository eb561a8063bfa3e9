import fc from 'fast-check';
import { it } from 'vitest';
import { SpillBench, SpillModel, spillSteps } from './spill-model.ts';

it('whatever happens, what was accepted arrives, and no key is out of order', { timeout: 60_000 }, () =>
  fc.assert(
    fc.asyncProperty(spillSteps, async steps => {
      const model = new SpillModel();
      const bench = new SpillBench(model);
      await bench.open();
      try {
        await fc.asyncModelRun(() => ({ model, real: bench }), steps);
        await bench.check();
      } finally {
        await bench.close();
      }
    }),
    { numRuns: Number(process.env['RUNS'] ?? 100) },
  ),
);
