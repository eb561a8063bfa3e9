import { describe, expect, it } from 'vitest';
import { BusError } from '../../src/core/publisher.ts';
import { exitCodeOf } from '../../src/worker/exit-codes.ts';
import { ListenError } from '../../src/worker/listen-error.ts';

const withCode = (code: string): Error => Object.assign(new Error(code), { code });

describe('exitCodeOf', () => {
  it.each([
    [new BusError('invalid-option', 'x'), 2],
    [new BusError('unsupported-capability', 'x'), 2],
    [new BusError('unsupported-backend', 'x'), 2],
    [new ListenError('127.0.0.1', 80, withCode('EADDRINUSE')), 2],
    [new BusError('storage', 'x'), 1],
    [new Error('x'), 1],
    ['text', 1],
  ])('%s ends with %d', (error, code) => expect(exitCodeOf(error)).toBe(code));
});

describe('ListenError', () => {
  it.each([
    ['EADDRINUSE', 'take another with --http HOST:PORT or http.port'],
    ['EACCES', 'take a higher one with --http HOST:PORT or http.port'],
    ['EADDRNOTAVAIL', 'with --http HOST:PORT or http.host'],
    ['EOTHER', 'EOTHER'],
  ])('says what to do about %s', (code, remedy) => {
    const { message } = new ListenError('10.0.0.1', 81, withCode(code));
    expect(message).toContain('10.0.0.1 port 81');
    expect(message).toContain(remedy);
  });
});
