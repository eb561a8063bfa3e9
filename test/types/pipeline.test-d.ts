/**
 * What must not compile, checked by `tsc -p .`: each expected error that no longer comes is an error itself.
 */
import { type Observable, bufferCount, map } from 'rxjs';
import { batch } from '../../operators/batch.ts';
import { decode } from '../../operators/decode.ts';
import { each } from '../../operators/each.ts';
import { mapValues } from '../../operators/map-values.ts';
import { publishTo } from '../../operators/publish-to.ts';
import { unbatch } from '../../operators/unbatch.ts';
import { textCodec } from '../../src/core/codec.ts';
import { type Delivery, type Ok, all } from '../../src/core/delivery.ts';
import { topic } from '../../src/core/topic.ts';
import { type BuildPipeline, type Pipeline, pipeline } from '../../src/runtime/pipeline.ts';

const words = topic('words', textCodec);

/** What may be written. */
export const complete: Pipeline = pipeline('complete', ({ source, publisher, onFailure }) =>
  source(words).pipe(
    decode(words),
    each(word$ => word$.pipe(map(word => word.length))),
    mapValues(String),
    batch({ count: 10 }),
    unbatch(),
    publishTo(words, publisher),
    onFailure(),
  ),
);

/** Plain RxJS one to one and n to one, once the failures are gone. */
export const plain: Pipeline = pipeline('plain', ({ source, onFailure }) =>
  source(words).pipe(
    decode(words),
    onFailure(),
    bufferCount(100),
    map(all),
    map(list => list.map(texts => texts.join(' '))),
  ),
);

// @ts-expect-error failures are forgotten: what reaches the end may have failed
export const noFailures: BuildPipeline = ({ source }) => source(words).pipe(decode(words));

export const failsAgain: BuildPipeline = ({ source, publisher, onFailure }) =>
  // @ts-expect-error publishing may fail after the failures were dealt with
  source(words).pipe(decode(words), onFailure(), publishTo(words, publisher));

export const bareValues: BuildPipeline = ({ source, onFailure }) =>
  // @ts-expect-error a bare value has lost its duty to settle
  source(words).pipe(
    decode(words),
    onFailure(),
    map(delivery => delivery.value),
  );

export const bareLists: BuildPipeline = ({ source, onFailure }) =>
  // @ts-expect-error a plain buffer has lost the duties of its members: `map(all)` keeps them
  source(words).pipe(decode(words), onFailure(), bufferCount(10));

export const bareMembers: BuildPipeline = ({ source, onFailure }) =>
  source(words).pipe(
    decode(words),
    onFailure(),
    bufferCount(10),
    // @ts-expect-error values have no duty that a batch could join
    map(list => all(list.map(delivery => delivery.value))),
  );

export const failedMembers: BuildPipeline = ({ source }) =>
  source(words).pipe(
    decode(words),
    bufferCount(10),
    // @ts-expect-error members that may have failed are no batch
    map(list => all(list)),
  );

/** A delivery without what it hides. */
type Bare = Pick<Ok<number>, 'ok' | 'value' | 'message' | 'map'>;

export const madeByHand = (bare: Bare): Ok<number> =>
  // @ts-expect-error the hidden duty cannot be left out
  bare;

export const unasked = (delivery: Delivery<string>): Ok<string> =>
  // @ts-expect-error it may have failed: ask `ok` first
  delivery;

export const otherValues = (source: Observable<Delivery<string>>): Observable<Delivery<string>> =>
  // @ts-expect-error the operator takes numbers
  source.pipe(mapValues((n: number) => String(n)));

export const notALayeredList = (source: Observable<Delivery<string>>): unknown =>
  // @ts-expect-error only lists come apart
  source.pipe(unbatch());
