import { AuthenticationError, MultipleErrors, NetworkError, ResponseError } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { busErrorOf, typeOf } from '../../../../src/bus/kafka/platformatic/platformatic-errors.ts';
import { BusError } from '../../../../src/core/publisher.ts';

const response = (code: number, text: string | null = null): Error =>
  new ResponseError(0, 9, { '/responses/0': [code, text] }, {});

describe('what the client throws', () => {
  it('keeps its name in the protocol, and says what right is lacking', () => {
    const refused = response(29);
    expect(typeOf(refused)).toBe('TOPIC_AUTHORIZATION_FAILED');
    expect(busErrorOf(refused, 'publishing to a', 'Write on topic a')).toMatchObject({
      code: 'unauthorized',
      retryable: false,
      message: expect.stringMatching(/^publishing to a: .*: grant Write on topic a to the user/) as string,
    });
  });

  it('in the words of the broker, where it has some', () => {
    expect(busErrorOf(response(40, 'retention.ms must be a number'), 'x')).toMatchObject({
      code: 'invalid-option',
      message: 'x: retention.ms must be a number: change the option, or what the brokers allow',
    });
  });

  it('that the broker does not believe who asks is no outage', () => {
    const cause = new AuthenticationError('SASL authentication failed.', { cause: response(58) });
    const error = new NetworkError('Connection to a:1 failed.', { cause });
    expect(busErrorOf(error, 'connecting', 'Read on group g')).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('use other credentials') as string,
    });
  });

  it('a secret that cannot be read is told as it was', () => {
    const ours = new BusError('unauthorized', 'security.sasl.password: P is not set');
    const error = new NetworkError('failed', { cause: new AuthenticationError('threw', { cause: ours }) });
    expect(busErrorOf(error, 'connecting')).toBe(ours);
  });

  it('everything else may pass, and says where it began', () => {
    const refused = new Error('connect ECONNREFUSED 127.0.0.1:1');
    const error = new MultipleErrors('Cannot connect to any broker.', [
      new NetworkError('Connection to 127.0.0.1:1 failed.', { cause: refused }),
    ]);
    expect(busErrorOf(error, 'connecting to 127.0.0.1:1')).toMatchObject({
      code: 'unavailable',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
    expect(busErrorOf('odd', 'x')).toMatchObject({ code: 'unavailable' });
  });
});
