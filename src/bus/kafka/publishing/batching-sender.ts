import { type SchedulerLike, Subscription } from 'rxjs';
import { MessageIds } from '../../../core/message-ids.ts';
import type { OutgoingMessage } from '../../../core/message.ts';
import { BusError, type Published } from '../../../core/publisher.ts';
import { Queue } from '../../../core/queue.ts';
import { steadyNow } from '../../../core/steady-clock.ts';
import type { BusCondition } from '../../bus-condition.ts';
import { checkMessage } from '../../message-check.ts';
import type { PublishingOptions } from '../kafka-options.ts';
import { recordOf, sizeOf } from '../wire-record.ts';
import { type OpenTopic, type TopicDirectory, isOpen } from '../cluster/topic-directory.ts';
import { BrokerOutlet } from './broker-outlet.ts';
import { LoadStore, asBusError } from './load-store.ts';
import type { OpenProducer } from './producer-pool.ts';
import { type Lane, type Load, PublishLanes, loadOf } from './publish-lanes.ts';

/** What a sender needs of its bus. */
export interface SenderHost {
  readonly directory: Pick<TopicDirectory, 'find' | 'open'>;
  readonly condition: BusCondition;
  readonly scheduler: SchedulerLike;
  readonly openProducer: OpenProducer;
}

interface Asked {
  readonly message: OutgoingMessage;
  readonly done: Published;
}

/**
 * Publishes in batches: whatever has gathered while others are under way to the same broker, or within the linger
 * time, goes out together, of each partition one batch at a time.
 */
export class BatchingSender {
  readonly #host: SenderHost;
  readonly #options: Required<PublishingOptions>;
  readonly #store: LoadStore;
  readonly #ids = new MessageIds();
  readonly #lanes = new PublishLanes();
  /** Messages to topics that are being asked for, in order. */
  readonly #asking = new Map<string, Queue<Asked>>();
  /** By the node that led a lane's partition when it was last asked about: one that has moved is only slower. */
  readonly #outlets = new Map<number | undefined, BrokerOutlet>();
  #bytes = 0;
  #stopped = false;
  #waitingForIdle: (() => void)[] = [];

  constructor(host: SenderHost, options: Required<PublishingOptions>) {
    this.#host = host;
    this.#options = options;
    this.#store = new LoadStore({
      ...host,
      deliveryTimeoutMs: () => (this.#stopped ? 0 : options.deliveryTimeoutMs),
      freed: bytes => (this.#bytes -= bytes),
    });
  }

  send(message: OutgoingMessage, done: Published): void {
    try {
      const topic = this.#host.directory.find(message.topic);
      if (isOpen(topic) && !this.#asking.has(message.topic)) this.#accept(topic, message, done);
      else this.#ask(message, done);
    } catch (error) {
      done(asBusError(error), undefined);
    }
  }

  /** Sends what waits for others, and settles once every sender has been told what became of its message. */
  idle(): Promise<void> {
    return new Promise(resolve => {
      this.#waitingForIdle.push(resolve);
      for (const outlet of this.#outlets.values()) outlet.flush();
      this.#tellIdle();
    });
  }

  /** Waits until nothing is under way, for so long at most; what is left then is refused. */
  async stop(deadlineMs: number): Promise<void> {
    const deadline = new Subscription();
    await new Promise<void>(resolve => {
      deadline.add(this.#host.scheduler.schedule(() => resolve(), deadlineMs));
      void this.idle().then(resolve);
    });
    deadline.unsubscribe();
    this.#refuseWaiting(
      'the bus was stopped while the message was on its way: start it, and publish the message again',
    );
    await this.#store.close();
  }

  /** Refuses what waits, and waits for what is under way, for so long at most; that is not tried again. */
  async abandon(deadlineMs: number): Promise<void> {
    this.#refuseWaiting('the transaction that the message was part of was given up: send it in the next one');
    const deadline = new Subscription();
    await new Promise<void>(resolve => {
      deadline.add(this.#host.scheduler.schedule(() => resolve(), deadlineMs));
      void this.idle().then(resolve);
    });
    deadline.unsubscribe();
  }

  #refuseWaiting(why: string): void {
    this.#stopped = true;
    for (const outlet of this.#outlets.values()) outlet.close();
    const stopped = new BusError('bus-not-started', why);
    for (const lane of this.#lanes.all()) this.#store.refuse({ lane, sendings: [] }, stopped);
  }

  /** A topic that is not known yet is asked for; what is published to it meanwhile waits in its order. */
  #ask(message: OutgoingMessage, done: Published): void {
    const running = this.#asking.get(message.topic);
    if (running) {
      running.push({ message, done });
      return;
    }
    const asked = new Queue<Asked>();
    asked.push({ message, done });
    this.#asking.set(message.topic, asked);
    const answer = (deliver: (next: Asked) => void): void => {
      this.#asking.delete(message.topic);
      for (let next = asked.shift(); next !== undefined; next = asked.shift()) deliver(next);
      this.#tellIdle();
    };
    this.#host.directory.open(message.topic).then(
      topic => answer(next => this.#acceptOrTell(topic, next)),
      (error: unknown) => answer(next => next.done(asBusError(error), undefined)),
    );
  }

  #acceptOrTell(topic: OpenTopic, { message, done }: Asked): void {
    try {
      this.#accept(topic, message, done);
    } catch (error) {
      done(asBusError(error), undefined);
    }
  }

  /** @throws BusError where it cannot be taken */
  #accept(topic: OpenTopic, message: OutgoingMessage, done: Published): void {
    checkMessage(message, topic.limits);
    const lane = this.#lanes.laneOf(topic, message);
    const sentAt = steadyNow(this.#host.scheduler);
    const id = message.id ?? this.#ids.next();
    const record = recordOf(message, id, this.#host.scheduler.now());
    const bytes = sizeOf(record);
    const { bufferBytes } = this.#options;
    if (this.#bytes + bytes > bufferBytes && message.patient !== true && message.reserved !== true) {
      throw new BusError(
        'buffer-full',
        `${topic.name}: ${this.#bytes} bytes wait to be stored, the limit is ${bufferBytes}: publish slower, or raise publishing.bufferBytes`,
      );
    }
    this.#bytes += bytes;
    lane.bytes += bytes;
    lane.waiting.push({ id, record, bytes, sentAt, done });
    if (!lane.busy) this.#offer(lane, bytes);
  }

  /** A lane stays with its outlet until nothing of it waits there. */
  #offer(lane: Lane, bytes: number): void {
    lane.outlet ??= this.#outletFor(lane);
    lane.outlet.offer(lane, bytes);
  }

  #outletFor({ topic, partition }: Lane): BrokerOutlet {
    const node = this.#host.directory.find(topic)?.leaders[partition];
    const found = this.#outlets.get(node);
    if (found) return found;
    const outlet = new BrokerOutlet({
      scheduler: this.#host.scheduler,
      lingerMs: this.#options.lingerMs,
      loadOf: lane => this.#loadOf(lane),
      store: loads => this.#store.store(loads),
      done: lanes => this.#freed(lanes),
    });
    this.#outlets.set(node, outlet);
    return outlet;
  }

  #loadOf(lane: Lane): Load {
    const { batchMessages, batchBytes } = this.#options;
    const limits = this.#host.directory.find(lane.topic)?.limits;
    return loadOf(lane, batchMessages, Math.min(batchBytes, limits?.maxBatchBytes ?? batchBytes));
  }

  #freed(lanes: readonly Lane[]): void {
    for (const lane of lanes) {
      lane.busy = false;
      lane.outlet = undefined;
      if (lane.waiting.size > 0) this.#offer(lane, lane.bytes);
    }
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#asking.size > 0 || ![...this.#outlets.values()].every(({ isIdle }) => isIdle)) return;
    for (const told of this.#waitingForIdle.splice(0)) told();
  }
}
