import { describe, expect, it } from 'vitest';
import { mapValues, decode, publishTo } from '../../operators/index.ts';
import { type EventBus, backends, createEventBus, pipeline, run, textCodec, topic } from '../../src/index.ts';

interface AcmeOptions {
  readonly url: string;
}

/** Of a third party: every call goes to a bus in memory, and is noted. */
function acme(calls: string[]): (options: AcmeOptions) => EventBus {
  return ({ url }) => {
    const bus = createEventBus({ kind: 'stub' });
    return new Proxy(bus, {
      get: (target, name) => {
        if (name === 'kind') return 'acme';
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        calls.push(`${url} ${String(name)}`);
        return value.bind(target) as unknown;
      },
    });
  };
}

const words = topic('words', textCodec);
const shouted = topic('shouted', textCodec);
const shouting = pipeline('shout', ({ source, publisher, onFailure }) =>
  source(words).pipe(
    decode(words),
    mapValues(word => word.toUpperCase()),
    publishTo(shouted, publisher),
    onFailure(),
  ),
);

describe('backends.with', () => {
  it('makes a backend of a third party by its kind, beside ours', () => {
    const own = backends.with('acme', acme([]));
    expect(own.kinds).toEqual(['stub', 'embedded', 'kafka', 'acme']);
    expect(own.create({ kind: 'acme', url: 'acme://a' }).kind).toBe('acme');
    expect(own.create({ kind: 'stub' }).kind).toBe('stub');
    expect(backends.kinds).toEqual(['stub', 'embedded', 'kafka']);
  });

  it('runs pipelines on it as on any other', async () => {
    const calls: string[] = [];
    const bus = backends.with('acme', acme(calls)).create({ kind: 'acme', url: 'acme://a' });
    await bus.start();
    const runtime = await run([shouting], bus);
    const heard: string[] = [];
    await bus.subscribe('shouted', ({ payload }) => void heard.push(String(payload)), { group: 'g' });
    await bus.publish({ topic: 'words', key: null, payload: Buffer.from('hello') });
    await runtime.drain(5_000);
    await bus.stop();
    expect(heard).toEqual(['HELLO']);
    expect(calls).toEqual(
      expect.arrayContaining(['acme://a createTopic', 'acme://a source', 'acme://a send']),
    );
  });

  it('names it where a pipeline needs what it lacks', async () => {
    const bus = backends.with('acme', acme([])).create({ kind: 'acme', url: 'acme://a' });
    await bus.start();
    const exact = { ...shouting, options: { guarantee: 'exactly-once' } as const };
    await expect(run([exact], bus)).rejects.toThrow(/which the acme backend lacks/);
    await bus.stop();
  });

  it('takes of each kind only the options of that kind', () => {
    const { create } = backends.with('acme', acme([]));
    // @ts-expect-error acme needs a URL
    expect(() => create({ kind: 'acme' }).kind).not.toThrow();
    // @ts-expect-error and a stub takes none
    expect(() => create({ kind: 'stub', url: 'acme://a' }).kind).not.toThrow();
  });
});
