import { describe, expect, it } from 'vitest';
import type { TopicInfo } from '../../src/bus/event-bus.ts';
import { type PlanBasis, planTopics } from '../../src/runtime/topic-plan.ts';
import { type TopicSettings, type TopicSpec, defaultTopicSettings } from '../../src/core/topic.ts';

const hour = 3_600_000;

function spec(settings: Partial<TopicSettings> = {}, name = 'cryptorun-a'): TopicSpec {
  return { name, settings: { ...defaultTopicSettings, ...settings } };
}

function info({ name, settings }: TopicSpec, more: Partial<TopicInfo> = {}): TopicInfo {
  return { name, settings, partitions: [], groups: [], ...more };
}

function plan(wanted: TopicSpec, there: TopicInfo | undefined, basis: Partial<PlanBasis> = {}) {
  const present = there === undefined ? [] : [there];
  const names = present.map(({ name }) => name);
  return planTopics([wanted], { present, names, brokers: 3, alterable: true, ...basis });
}

describe('planTopics', () => {
  it('creates what is not there and leaves alone what is as configured', () => {
    expect(plan(spec(), undefined).topics).toEqual([{ spec: spec(), action: 'create', changes: [] }]);
    expect(plan(spec(), info(spec()))).toEqual({ topics: [], strangers: [], brokers: 3 });
  });

  it('changes retention, size and the largest message', () => {
    const wanted = spec({ retentionMs: 2 * hour, retentionBytes: 1024, maxMessageBytes: 2048 });
    const there = info(spec({ retentionMs: Number.POSITIVE_INFINITY, maxMessageBytes: 1024 }));
    expect(plan(wanted, there).topics).toEqual([
      {
        spec: wanted,
        action: 'change',
        changes: [
          { setting: 'retention', from: 'no limit', to: '2h' },
          { setting: 'retention size', from: 'no limit', to: '1KB' },
          { setting: 'largest message', from: '1KB', to: '2KB' },
        ],
      },
    ]);
  });

  it('grows partitions with a warning and refuses to take any away', () => {
    const [grown] = plan(spec({ partitions: 4 }), info(spec({ partitions: 2 }))).topics;
    expect(grown).toMatchObject({
      action: 'change',
      changes: [{ from: '2', to: '4', warning: expect.stringContaining('keys move') as string }],
    });
    const [shrunk] = plan(spec({ partitions: 2 }), info(spec({ partitions: 4 }))).topics;
    expect(shrunk).toMatchObject({
      action: 'refuse',
      changes: [{ refused: expect.stringContaining('cannot be taken away') as string }],
    });
  });

  it('refuses to turn compaction on or off', () => {
    for (const compaction of [true, false]) {
      const [topic] = plan(spec({ compaction }), info(spec({ compaction: !compaction }))).topics;
      expect(topic).toMatchObject({ action: 'refuse', changes: [{ setting: 'compaction' }] });
    }
  });

  it('takes as many copies as there are brokers for right, and refuses other numbers', () => {
    const wanted = spec({ replication: 3 });
    expect(plan(wanted, info(spec({ replication: 1 })), { brokers: 1 }).topics).toEqual([]);
    expect(plan(wanted, info(wanted), { brokers: 1 }).topics).toEqual([]);
    expect(plan(wanted, info(spec({ replication: 1 }))).topics).toMatchObject([
      { action: 'refuse', changes: [{ setting: 'copies', from: '1', to: '3' }] },
    ]);
  });

  it('puts back what was changed from outside', () => {
    const drift = [{ setting: 'message.timestamp.type', is: 'CreateTime', should: 'LogAppendTime' }];
    expect(plan(spec(), info(spec(), { drift })).topics).toMatchObject([
      {
        action: 'change',
        changes: [{ setting: 'message.timestamp.type', from: 'CreateTime', to: 'LogAppendTime' }],
      },
    ]);
  });

  it('does what can be done of a topic of which something is refused', () => {
    const there = info(spec({ compaction: true, retentionMs: hour }));
    const [topic] = plan(spec({ retentionMs: 2 * hour }), there).topics;
    expect(topic?.action).toBe('change');
    expect(topic?.changes.map(({ setting, refused }) => [setting, refused !== undefined])).toEqual([
      ['retention', false],
      ['compaction', true],
    ]);
  });

  it('refuses every change where the backend makes none', () => {
    const [topic] = plan(spec({ retentionMs: hour }), info(spec()), { alterable: false }).topics;
    expect(topic).toMatchObject({
      action: 'refuse',
      changes: [{ refused: 'this backend does not change topics that are there' }],
    });
  });

  it('names topics of ours that nothing configures, changelogs apart', () => {
    const names = ['cryptorun-a', 'cryptorun-old', 'cryptorun-x-changelog', 'of-others'];
    expect(plan(spec(), info(spec()), { names }).strangers).toEqual(['cryptorun-old']);
  });
});
