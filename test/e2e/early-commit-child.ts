/** A redrive with a planted bug: letters are gone past before they are sent. `FOLDER RATE` */
import { map } from 'rxjs';
import { embeddedBus } from '../../src/bus/embedded/embedded.ts';
import { ok, settlement } from '../../src/core/delivery.ts';
import { idleSettlement } from '../../src/core/settlement.ts';
import { redrive } from '../../src/dlq/redrive.ts';
import { busWhere } from '../dlq/letters.ts';

const [, , dir = '', rate = ''] = process.argv;
const bus = embeddedBus({ dir });
await bus.start();
const hasty = busWhere(bus, {
  source: (topics, options) =>
    bus.source(topics, options).pipe(
      map(delivery => {
        delivery[settlement].ack();
        return delivery.ok ? ok(delivery.value, delivery.message, idleSettlement) : delivery;
      }),
    ),
});
await redrive(hasty, {}, { ratePerSecond: Number(rate) });
await bus.stop();
