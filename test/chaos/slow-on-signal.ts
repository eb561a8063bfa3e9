import { KafkaBus } from '../../src/bus/kafka/kafka-bus.ts';

/*
 * A process that loads this first takes its time over every output, as one does whose handlers are slow, from one
 * SIGUSR2 to the next.
 */
const slowMs = 5;
let isSlow = false;
process.on('SIGUSR2', () => (isSlow = !isSlow));

const clock = new Int32Array(new SharedArrayBuffer(4));
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with the bus below
const { send } = KafkaBus.prototype;

KafkaBus.prototype.send = function (this: KafkaBus, message, done) {
  if (isSlow) Atomics.wait(clock, 0, 0, slowMs);
  send.call(this, message, done);
};
