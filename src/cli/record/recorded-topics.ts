import * as t from 'io-ts';
import { marketTopics } from '../../../pipelines/index.ts';
import { jsonCodec } from '../../core/codec.ts';
import type { Topic, TopicSpec } from '../../core/topic.ts';
import { reportTopics } from '../../worker/report-topics.ts';

/** Topics of which nothing is known but that their values are JSON, if anything. */
const anyJson = jsonCodec(t.unknown, { name: 'JSON' });

/** Every topic with the codec that its values are recorded by. */
export function recordedTopics(specs: readonly TopicSpec[]): readonly Topic<unknown>[] {
  const known = new Map([...marketTopics, ...reportTopics].map(topic => [topic.name, topic.codec]));
  return specs.map(({ name, settings }) => ({ name, settings, codec: known.get(name) ?? anyJson }));
}
