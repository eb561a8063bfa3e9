import { describe, expect, it } from 'vitest';
import { decode } from '../../operators/decode.ts';
import { dedupe } from '../../operators/dedupe.ts';
import { mapValues } from '../../operators/map-values.ts';
import { publishTo } from '../../operators/publish-to.ts';
import { deadLetterTopic, quarantineTopic } from '../../src/core/dead-letter.ts';
import {
  type LetterSelection,
  type Pipeline,
  type RedriveOptions,
  type RedriveReport,
  groupDeadLetters,
  pipeline,
  rawCodec,
  redrive,
  textCodec,
  topic,
} from '../../src/index.ts';
import { PipelineDriver } from '../../src/testing/index.ts';

const words = topic('words', textCodec, { partitions: 2 });
const loud = topic('loud', textCodec);
const seen = topic('seen', textCodec);
const letters = topic(deadLetterTopic, rawCodec, { partitions: 2 });
const quarantine = topic(quarantineTopic, rawCodec);

/** Fails on bad words until it is mended. */
function shouting(fault: { isMended: boolean }): Pipeline {
  return pipeline('shout', ({ source, publisher, onFailure, state }) =>
    source(words).pipe(
      decode(words),
      dedupe({ state }),
      mapValues(word => {
        if (word === 'bad' && !fault.isMended) throw new Error(`cannot say "${word}"`);
        return word.toUpperCase();
      }),
      publishTo(loud, publisher),
      onFailure(),
    ),
  );
}

/** Reads the same topic and has no trouble. */
const seeing = pipeline('see', ({ source, publisher, onFailure }) =>
  source(words).pipe(decode(words), publishTo(seen, publisher), onFailure()),
);

interface World {
  readonly fault: { isMended: boolean };
  readonly driver: PipelineDriver;
  /** Redrives, and lets the pipelines take what was sent. */
  readonly sendBack: (selection?: LetterSelection, options?: RedriveOptions) => Promise<RedriveReport>;
}

async function worldWith(...given: readonly string[]): Promise<World> {
  const fault = { isMended: false };
  const driver = await PipelineDriver.start({
    topics: Object.fromEntries(
      [words, loud, seen, letters, quarantine].map(({ name, settings }) => [name, settings]),
    ),
    pipelines: () => [shouting(fault), seeing],
  });
  given.forEach((word, n) => driver.give(words, word, { key: `k${n}`, id: `m${n}` }));
  driver.runFor(1_000);
  return {
    fault,
    driver,
    sendBack: async (selection, options) => {
      const sending = redrive(driver.bus, selection, options);
      await driver.during(sending);
      driver.runFor(1_000);
      return sending;
    },
  };
}

describe('a message that failed and is sent back', () => {
  it('is handled once, by the pipeline that failed alone, however often it is sent', async () => {
    const { driver, fault, sendBack } = await worldWith('good', 'bad', 'fine');
    expect(driver.values(loud).toSorted()).toEqual(['FINE', 'GOOD']);
    expect(await groupDeadLetters(driver.bus)).toMatchObject([
      { pipeline: 'shout', reason: 'cannot say <text>', count: 1 },
    ]);

    fault.isMended = true;
    expect(await sendBack()).toMatchObject({ sent: 1 });
    expect(await sendBack()).toMatchObject({ sent: 0 });
    expect(await sendBack({ pipeline: 'shout' })).toMatchObject({ sent: 1 });
    expect(await sendBack({}, { again: true })).toMatchObject({ sent: 1 });

    expect(driver.messages(words)).toHaveLength(6);
    expect(driver.values(loud).toSorted()).toEqual(['BAD', 'FINE', 'GOOD']);
    expect(driver.values(seen).toSorted()).toEqual(['bad', 'fine', 'good']);
    expect(driver.messages(letters)).toHaveLength(1);
  });

  it('that fails again is a letter of its own, and from the fifth on in quarantine', async () => {
    const { driver, fault, sendBack } = await worldWith('bad');
    for (let sent = 1; sent <= 4; sent++) expect(await sendBack()).toMatchObject({ sent: 1 });
    expect(driver.messages(letters)).toHaveLength(4);
    expect(driver.messages(quarantine)).toHaveLength(1);
    const all = await sendBack({}, { again: true });
    expect(all).toMatchObject({ sent: 0, skipped: { 'in quarantine': 4 } });

    // Still wrong: one release, one failure, and it is back at once.
    expect(await sendBack({}, { topic: quarantineTopic })).toMatchObject({ sent: 1 });
    expect(driver.messages(letters)).toHaveLength(4);
    expect(driver.messages(quarantine)).toHaveLength(2);
    fault.isMended = true;
    expect(await sendBack({}, { topic: quarantineTopic })).toMatchObject({ sent: 1 });
    expect(driver.values(loud)).toEqual(['BAD']);
    expect(driver.values(seen)).toEqual(['bad']);
  });

  it('may be edited on its way', async () => {
    const { driver, sendBack } = await worldWith('bad');
    const transform = (): Uint8Array => Buffer.from('better');
    expect(await sendBack({}, { transform })).toMatchObject({ sent: 1, edited: 1 });
    expect(driver.values(loud)).toEqual(['BETTER']);
    expect(driver.values(seen)).toEqual(['bad']);
  });
});
