import { type OperatorFunction, map, mergeMap, timer } from 'rxjs';
import {
  type BuildPipeline,
  type Delivery,
  type Pipeline,
  type PipelineOptions,
  type StateCodec,
  type Topic,
  jsonState,
  pipeline,
  textCodec,
  topic,
} from '../../src/index.ts';
import { decode, each, mapValues, publishTo, scanByKey } from '../../operators/index.ts';
import type { PipelineDriver } from '../../src/testing/index.ts';
import { type PipelineDriverOptions } from '../../src/testing/index.ts';

export const words: Topic<string> = topic('words', textCodec, { partitions: 2 });
export const shouted: Topic<string> = topic('shouted', textCodec, { partitions: 2 });
export const deadLetters: Topic<string> = topic('cryptorun-dlq', textCodec);

/** What topics a driver of these pipelines has. */
export const topics: NonNullable<PipelineDriverOptions['topics']> = {
  words: words.settings,
  shouted: shouted.settings,
  'cryptorun-dlq': {},
};

/** Words in capitals; `bad` cannot be said. */
function shout(word: string): string {
  if (word === 'bad') throw new Error('not in this house');
  return word.toUpperCase();
}

/** words -> shouted, with an operator of the test's own in between. */
export function shouting(
  options: PipelineOptions = {},
  between: OperatorFunction<Delivery<string>, Delivery<string>> = mapValues(shout),
): Pipeline {
  const build: BuildPipeline = ({ source, publisher, onFailure, scheduler }) =>
    source(words).pipe(decode(words), between, publishTo(shouted, publisher, { scheduler }), onFailure());
  return pipeline('shout', build, options);
}

/** Takes so many ms of virtual time for each word. */
export function slowly(
  driver: () => PipelineDriver,
  ms: number,
): OperatorFunction<Delivery<string>, Delivery<string>> {
  return each(word$ =>
    word$.pipe(mergeMap(word => timer(ms, driver().scheduler).pipe(map(() => shout(word))))),
  );
}

interface Count {
  n: number;
}

/** How often each word was said under its key, so far: `key word-count`. */
export function counting(
  options: PipelineOptions & { readonly version?: string; readonly expireAfterMs?: number } = {},
): Pipeline {
  const { version = '1', expireAfterMs, ...rest } = options;
  const codec: StateCodec<Count> = jsonState(version, json => json as Count);
  return pipeline(
    'count',
    ({ source, publisher, onFailure, state }) =>
      source(words).pipe(
        decode(words),
        scanByKey<string, Count, string>(
          (count, word, { key }) => {
            if (word === 'bad') throw new Error('not in this house');
            count.n += 1;
            return [`${key ?? ''} ${word} ${count.n}`];
          },
          {
            name: 'counts',
            seed: () => ({ n: 0 }),
            codec,
            state,
            ...(expireAfterMs !== undefined && { expireAfterMs }),
          },
        ),
        publishTo(shouted, publisher),
        onFailure(),
      ),
    rest,
  );
}

/** Up to where, by partition, the group of a pipeline has committed. */
export async function committed(driver: PipelineDriver, group: string): Promise<number[]> {
  const { groups } = await driver.bus.getTopicInfo(words.name);
  return [0, 1].map(p => groups.find(g => g.group === group && g.partition === p)?.committed ?? 0);
}
