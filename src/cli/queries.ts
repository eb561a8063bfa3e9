import { lastValueFrom } from 'rxjs';
import type { EventBus } from '../bus/event-bus.ts';
import { type StateRecord, changelogOf } from '../runtime/snapshot-format.ts';
import { readStoredStates } from '../runtime/stored-state.ts';
import { explainQuery } from './explain/explain-query.ts';
import { letterQueries } from './dlq/letter-queries.ts';
import type { Query } from './query.ts';

/** Every topic with its partitions, bytes and groups. */
const topics: Query = async bus => Promise.all((await bus.listTopics()).map(name => bus.getTopicInfo(name)));

/** One topic: `[name]`. */
const topic: Query = (bus, [name = '']) => bus.getTopicInfo(name);

/** States of a pipeline's operators: `[pipeline, operator?, key?]`. */
const state: Query = async (bus, [pipeline = '', operator, key], runtime) => {
  const running = runtime?.pipelines.find(candidate => candidate.pipeline.name === pipeline);
  const states = running ? [...running.state.read()] : await storedStates(bus, pipeline);
  return states.filter(
    s => (operator === undefined || s.operator === operator) && (key === undefined || s.key === key),
  );
};

/** Of a pipeline that has never run, or does not exist, nothing is remembered. */
async function storedStates(bus: EventBus, pipeline: string): Promise<readonly StateRecord[]> {
  const topics = await bus.listTopics();
  if (!topics.includes(changelogOf(pipeline).name)) return [];
  return lastValueFrom(readStoredStates(bus, pipeline));
}

/** Every question there is, by name. */
export const queries: Readonly<Record<string, Query>> = {
  topics,
  topic,
  state,
  explain: explainQuery,
  ...letterQueries,
};
