import * as t from 'io-ts';
import { type MonoTypeOperatorFunction, identity } from 'rxjs';
import { decode } from '../../operators/decode.ts';
import { publishTo } from '../../operators/publish-to.ts';
import { scanByKey } from '../../operators/scan-by-key.ts';
import { jsonCodec } from '../../src/core/codec.ts';
import type { Delivery } from '../../src/core/delivery.ts';
import { jsonState } from '../../src/core/state.ts';
import { topic } from '../../src/core/topic.ts';
import { type Pipeline, type PipelineOptions, pipeline } from '../../src/runtime/pipeline.ts';

export interface CountingOptions extends PipelineOptions {
  /** What numbers go through before they are counted. */
  readonly before?: MonoTypeOperatorFunction<Delivery<number>>;
}

/** Counts the numbers of each key, in a state named `seen`, from one topic to another. */
export function countingPipeline(
  name: string,
  from: string,
  to: string,
  { before = identity, ...options }: CountingOptions = {},
): Pipeline {
  const numbers = topic(from, jsonCodec(t.number));
  const counts = topic(to, jsonCodec(t.type({ number: t.number, count: t.number })));
  return pipeline(
    name,
    ({ source, publisher, state, onFailure }) =>
      source(numbers).pipe(
        decode(numbers),
        before,
        scanByKey((seen, number) => [{ number, count: ++seen.count }], {
          name: 'seen',
          state,
          seed: () => ({ count: 0 }),
          codec: jsonState('1', t.type({ count: t.number })),
        }),
        publishTo(counts, publisher),
        onFailure(),
      ),
    options,
  );
}
