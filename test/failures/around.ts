import fc from 'fast-check';
import { bulkhead, circuitBreaker, fence, timeLimit } from '../../operators/index.ts';
import { type Around, bounded } from './part.ts';

const circuits: fc.Arbitrary<Around> = fc
  .record({
    failures: fc.integer({ min: 1, max: 4 }),
    whenOpen: fc.constantFrom('wait' as const, 'wait' as const, 'fail' as const),
    successes: fc.integer({ min: 1, max: 3 }),
    minimum: fc.constantFrom(undefined, 4),
  })
  .map(({ minimum, ...of }) => ({
    text: `circuit of ${of.failures}, ${of.successes} to close, ${of.whenOpen}${minimum === undefined ? '' : ', or half of them'}`,
    ...(of.whenOpen === 'fail' && { isByChance: true }),
    around: (section, { scheduler, meter, circuitChanged }) =>
      circuitBreaker(section, {
        ...of,
        ...(minimum !== undefined && { errorShare: { share: 0.5, windowMs: 1_000, minimum } }),
        coolDownMs: 500,
        maxCoolDownMs: 2_000,
        demand: 8,
        scheduler,
        meter,
        onChange: circuitChanged,
      }),
  }));

const bulkheads: fc.Arbitrary<Around> = fc
  .record({
    concurrency: fc.integer({ min: 1, max: 4 }),
    maxWaiting: fc.constantFrom(2, 1_000, 1_000),
    byKey: fc.boolean(),
  })
  .map(({ byKey, ...of }) => ({
    text: `bulkhead of ${of.concurrency}, ${of.maxWaiting} wait${byKey ? ', by key' : ''}`,
    ...bounded(of.maxWaiting),
    around: (section, { scheduler, meter }) =>
      bulkhead(section, {
        ...of,
        ...(byKey && { by: (_, { key }) => key ?? '' }),
        scheduler,
        meter,
      }),
  }));

const limits: fc.Arbitrary<Around> = fc.constantFrom(40, 1_500, 100_000_000).map(limitMs => ({
  text: `time limit of ${limitMs} ms`,
  ...(limitMs < 100_000 && { isByChance: true }),
  around: (section, { scheduler }) => timeLimit(section, { limitMs, scheduler }),
}));

const fences: fc.Arbitrary<Around> = fc.constant({
  text: 'fence',
  around: (section, { scheduler }) => fence(section, { scheduler }),
});

/** What may stand around the step that tries, the innermost first. */
export const arounds: fc.Arbitrary<readonly Around[]> = fc.array(
  fc.oneof({ weight: 3, arbitrary: circuits }, bulkheads, limits, fences),
  { maxLength: 3 },
);
