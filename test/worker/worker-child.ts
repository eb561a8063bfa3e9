/** A worker whose only message is never finished, for tests that send signals to a real process. */
import { NEVER, mergeMap } from 'rxjs';
import { decode, each } from '../../operators/index.ts';
import { stubBus } from '../../src/bus/embedded/stub.ts';
import { textCodec } from '../../src/core/codec.ts';
import { topic } from '../../src/core/topic.ts';
import { pipeline } from '../../src/runtime/pipeline.ts';
import { silentLogger } from '../../src/worker/logger.ts';
import { listenForShutdown } from '../../src/worker/shutdown.ts';
import { runWorker } from '../../src/worker/worker.ts';

const words = topic('words', textCodec);
const hanging = pipeline('hanging', ({ source, onFailure }) =>
  source(words).pipe(
    decode(words),
    each(word$ =>
      word$.pipe(
        mergeMap(() => {
          process.stdout.write('taken\n');
          return NEVER;
        }),
      ),
    ),
    onFailure(),
  ),
);

const shutdown = listenForShutdown(process, { report: what => void process.stdout.write(`${what}\n`) });
process.exitCode = await runWorker({
  name: 'child',
  pipelines: [hanging],
  topics: [words],
  bus: stubBus(),
  drainDeadlineMs: Number(process.argv[2]),
  logger: silentLogger,
  signal: shutdown.signal,
  started: ({ bus }) => bus.publish({ topic: 'words', key: null, payload: Buffer.from('hello') }),
});
shutdown.remove();
