import type { HeaderValue } from '../../../core/headers.ts';

/** kafkajs's headers: an object by name, which keeps neither the order of repeated names nor that of numeric ones. */
export type NamedHeaders = Record<string, Buffer | string | (Buffer | string)[] | undefined>;

/** Says, where kafkajs would lose it, in which order the headers were: the index of each one's name. */
const orderHeader = 'cryptorun-header-order';

const numericName = /^\d+$/;

/** Headers in the form that kafkajs writes. */
export function toNamed(flat: readonly HeaderValue[]): NamedHeaders {
  const named: NamedHeaders = {};
  const names: string[] = [];
  let isOrdered = true;
  for (let i = 0; i < flat.length; i += 2) {
    const name = nameOf(flat[i] ?? '');
    const value = valueOf(flat[i + 1] ?? '');
    const before = named[name];
    if (before === undefined) {
      named[name] = value;
      names.push(name);
      isOrdered &&= !numericName.test(name);
    } else {
      isOrdered &&= names.at(-1) === name;
      if (Array.isArray(before)) before.push(value);
      else named[name] = [before, value];
    }
  }
  if (!isOrdered) named[orderHeader] = orderOf(flat, Object.keys(named));
  return named;
}

/** What kafkajs read, in the order in which it was written. */
export function toFlat(named: NamedHeaders | undefined): HeaderValue[] {
  if (named === undefined) return [];
  const order = named[orderHeader];
  if (order !== undefined) return inOrder(named, order);
  const flat: HeaderValue[] = [];
  for (const name in named) {
    const value = named[name];
    if (Array.isArray(value)) for (const each of value) flat.push(name, each);
    else if (value !== undefined) flat.push(name, value);
  }
  return flat;
}

function orderOf(flat: readonly HeaderValue[], names: readonly string[]): string {
  const order: number[] = [];
  for (let i = 0; i < flat.length; i += 2) order.push(names.indexOf(nameOf(flat[i] ?? '')));
  return order.join(',');
}

function inOrder(named: NamedHeaders, order: NonNullable<NamedHeaders[string]>): HeaderValue[] {
  const names = Object.keys(named).filter(name => name !== orderHeader);
  const left = new Map(names.map(name => [name, [named[name] ?? []].flat()]));
  const flat: HeaderValue[] = [];
  for (const index of String(order).split(',')) {
    const name = names[Number(index)] ?? '';
    const value = left.get(name)?.shift();
    if (value !== undefined) flat.push(name, value);
  }
  // Nothing that another program has added is lost.
  for (const [name, values] of left) for (const value of values) flat.push(name, value);
  return flat;
}

function nameOf(name: HeaderValue): string {
  return typeof name === 'string' ? name : Buffer.from(name).toString();
}

function valueOf(value: HeaderValue): Buffer | string {
  return typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
