import * as t from 'io-ts';
import { marketTopics } from '../../../pipelines/index.ts';
import { jsonCodec } from '../../core/codec.ts';
import { reportTopics } from '../../worker/report-topics.ts';
import type { Recorded } from './recorder.ts';

/** Topics of which nothing is known but that their values are JSON, if anything: changelogs are, for example. */
const anyJson = jsonCodec(t.unknown, { name: 'JSON' });

/** Topics with the codecs that their values are recorded by. */
export function recordedTopics(names: readonly string[]): readonly Recorded[] {
  const known = new Map([...marketTopics, ...reportTopics].map(topic => [topic.name, topic.codec]));
  return names.map(name => ({ name, codec: known.get(name) ?? anyJson }));
}
