import fc from 'fast-check';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { PatientSender } from '../../operators/patient-sender.ts';
import { BusError, type Published } from '../../src/core/publisher.ts';
import { type Settlement, idleSettlement } from '../../src/core/settlement.ts';

const away = new BusError('publish-timeout', 'away');

/** A broker that keeps what it is sent until it is told what to say of it. */
class AskedBroker {
  readonly stored: string[] = [];
  readonly held: (string | undefined)[] = [];
  readonly #asked: { readonly text: string; readonly done: Published }[] = [];

  readonly publisher = {
    partitionsOf: () => 1,
    held: (_stage: string, refusal: BusError | undefined) => void this.held.push(refusal?.code),
    send: ({ key }: { readonly key: string | null }, done: Published) => {
      this.#asked.push({ text: key ?? '', done });
    },
  };

  get pending(): number {
    return this.#asked.length;
  }

  answer(isTaken: boolean): void {
    const next = this.#asked.shift();
    if (next === undefined) return;
    if (isTaken) this.stored.push(next.text);
    next.done(isTaken ? undefined : away, undefined);
  }
}

function sending(): {
  readonly broker: AskedBroker;
  readonly outcomes: string[];
  readonly sender: PatientSender;
  readonly send: (key: string, duty?: Settlement) => void;
  readonly wait: () => void;
} {
  const scheduler = new TestScheduler(() => undefined);
  scheduler.maxFrames = Number.POSITIVE_INFINITY;
  const broker = new AskedBroker();
  const outcomes: string[] = [];
  const sender = new PatientSender(broker.publisher, { name: 'out', scheduler });
  return {
    broker,
    outcomes,
    sender,
    send: (key, duty = idleSettlement) => {
      sender.send({ topic: 't', key, payload: null }, duty, outcome => {
        outcomes.push(`${key} ${outcome instanceof BusError ? outcome.code : outcome}`);
      });
    },
    wait: () => scheduler.flush(),
  };
}

describe('PatientSender', () => {
  it('sends again what was refused before anything that came later', () => {
    const { broker, outcomes, send, wait, sender } = sending();
    send('a');
    send('b');
    broker.answer(false);
    send('c');
    broker.answer(false);
    expect([broker.pending, sender.waiting]).toEqual([0, 3]);
    wait();
    expect(broker.pending).toBe(1);
    broker.answer(true);
    while (broker.pending > 0) broker.answer(true);
    expect(broker.stored).toEqual(['a', 'b', 'c']);
    expect(outcomes).toEqual(['a stored', 'b stored', 'c stored']);
    expect(broker.held).toEqual(['publish-timeout', 'publish-timeout', undefined]);
  });

  it('waits longer each time its probe is refused', () => {
    const { broker, send, wait } = sending();
    send('a');
    send('b');
    for (let i = 0; i < 5; i++) {
      while (broker.pending > 0) broker.answer(false);
      wait();
      expect(broker.pending).toBe(1);
    }
    while (broker.pending > 0) broker.answer(true);
    expect(broker.stored).toEqual(['a', 'b']);
  });

  it('does not send what nobody waits for any more', () => {
    const { broker, outcomes, send, wait } = sending();
    const duty = { ...idleSettlement, revoked: true };
    send('a');
    broker.answer(false);
    send('b', duty);
    send('c');
    wait();
    while (broker.pending > 0) broker.answer(true);
    expect(broker.stored).toEqual(['a', 'c']);
    expect(outcomes).toEqual(['a stored', 'b taken-back', 'c stored']);
  });

  it('is silent once it is stopped', () => {
    const { broker, outcomes, send, sender, wait } = sending();
    send('a');
    broker.answer(false);
    send('b');
    sender.stop();
    wait();
    expect([broker.pending, outcomes]).toEqual([0, []]);
  });

  it('loses nothing and stores everything once, whatever the broker answers', () => {
    const step = fc.constantFrom('send', 'wait', 'taken', 'refused');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const { broker, outcomes, send, wait } = sending();
        let sent = 0;
        for (const step of steps) {
          if (step === 'send') send(String(sent++));
          else if (step === 'wait') wait();
          else broker.answer(step === 'taken');
        }
        for (let i = 0; i < 200; i++) {
          wait();
          broker.answer(true);
        }
        const all = Array.from({ length: sent }, (_, i) => String(i));
        expect([...broker.stored].sort((a, b) => Number(a) - Number(b))).toEqual(all);
        expect(outcomes.length).toBe(sent);
      }),
    );
  });
});
