import * as t from 'io-ts';
import { signalsTopic } from '../../../pipelines/index.ts';
import type { Query } from '../query.ts';
import { busChainReader, findSignal } from './bus-chain-reader.ts';
import { explainSignal } from './explain-signal.ts';
import { explanationJson } from './explanation.ts';
import { renderExplanation } from './render-explanation.ts';

/** What the query answers: the text to print, or what is wrong. */
export const ExplainAnswer: t.Type<{ readonly text: string; readonly found: boolean }> = t.type({
  text: t.string,
  found: t.boolean,
});

/** `[id or its beginning, 'text' | 'json', columns, 'colour' | '']` */
export const explainQuery: Query = async (bus, [id = '', form = 'text', columns = '100', colour = '']) => {
  const signals = await findSignal(bus, signalsTopic.name, id);
  const [signal, second] = signals;
  if (signal === undefined) {
    return { found: false, text: `There is no signal whose id begins with "${id}".` };
  }
  if (second !== undefined) {
    const ids = signals.slice(0, 5).map(message => `  ${message.id}`);
    return { found: false, text: [`Several signals begin with "${id}":`, ...ids].join('\n') };
  }
  const explanation = await explainSignal(busChainReader(bus), signal);
  const text =
    form === 'json'
      ? explanationJson(explanation)
      : renderExplanation(explanation, { columns: Number(columns), colour: colour === 'colour' }).join('\n');
  return { found: true, text };
};
