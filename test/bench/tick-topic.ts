import * as t from 'io-ts';
import { jsonCodec } from '../../src/core/codec.ts';
import { topic } from '../../src/core/topic.ts';
import type { Tick } from './operator-load.ts';

const TickCodec: t.Type<Tick> = t.type({ symbol: t.string, price: t.number, time: t.number });

export const tickTopic = topic('bench-ticks', jsonCodec(TickCodec, { name: 'Tick' }));
