import * as t from 'io-ts';
import { type Observable, lastValueFrom } from 'rxjs';
import { jsonCodec } from '../../../src/core/codec.ts';
import { type Topic, topic } from '../../../src/core/topic.ts';
import type { SinkContext } from '../../../src/worker/sinks/notification-sink.ts';

export interface Notice {
  readonly title: string;
  readonly text: string;
  readonly time: number;
  readonly symbol: string;
}

export const notices: Topic<Notice> = topic(
  'notices',
  jsonCodec(t.type({ title: t.string, text: t.string, time: t.number, symbol: t.string }), {
    name: 'Notice',
  }),
);

export const notice = (title: string, time = 0, symbol = 'BTC-USD'): Notice => {
  return { title, text: `${title}\n- because`, time, symbol };
};

export const traceparent: string = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

export const context = (id: string): SinkContext => ({
  id,
  traceparent,
  signal: new AbortController().signal,
});

/** Settles as the delivery does. */
export const delivered = (delivery$: Observable<unknown>): Promise<unknown> =>
  lastValueFrom(delivery$, { defaultValue: undefined });
