import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { decode, publishTo } from '../../../operators/index.ts';
import type { EventBus } from '../../../src/bus/event-bus.ts';
import { textCodec } from '../../../src/core/codec.ts';
import { topic } from '../../../src/core/topic.ts';
import { type PipelineOptions, pipeline } from '../../../src/runtime/pipeline.ts';
import { Runtime } from '../../../src/runtime/runtime.ts';

/** Runs a pipeline, until the test ends, that copies one topic to another; its name. */
export async function copying(
  bus: EventBus,
  from: string,
  to: string,
  options: PipelineOptions = {},
): Promise<string> {
  const [input, output] = [topic(from, textCodec), topic(to, textCodec)];
  const name = `copying-${randomUUID()}`;
  const copy = pipeline(
    name,
    ({ source, publisher, onFailure }) =>
      source(input).pipe(decode(input), publishTo(output, publisher), onFailure()),
    options,
  );
  const runtime = new Runtime([copy], bus);
  onTestFinished(() => runtime.stop());
  await runtime.start();
  return name;
}
