import type { Place } from './config-problem.ts';

/** A value as it was read, together with the place where it stands. */
export type Located = LocatedMap | LocatedList | LocatedScalar | Unreadable;

export interface LocatedMap {
  readonly kind: 'map';
  readonly at: Place;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  readonly keyAt: Place;
  readonly node: Located;
}

export interface LocatedList {
  readonly kind: 'list';
  readonly at: Place;
  readonly items: readonly Located[];
}

export interface LocatedScalar {
  readonly kind: 'scalar';
  readonly at: Place;
  readonly value: string | number | boolean | null;
  /** Set where environment variables were put in: what the file says, shown in place of the value. */
  readonly written?: string;
  /** The same value as text, where an unquoted `${NAME}` turned into a number, true or false. */
  readonly text?: string;
}

/** A value that has been reported already and is not looked at again. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly at: Place;
}

/** Steps from the root to a value: keys of maps, indices of lists. */
export type Steps = readonly (string | number)[];

/** Appends one step to a path as people read it: `pipelines[0].name`. */
export function pathTo(path: string, step: string | number): string {
  if (typeof step === 'number') return `${path}[${step}]`;
  return path === '' ? step : `${path}.${step}`;
}

/** The value at the end of the steps; where a step leads nowhere, the last value that was there. */
export function locate(root: Located, steps: Steps): Located {
  let node = root;
  for (const step of steps) {
    const next = childOf(node, step);
    if (!next) return node;
    node = next;
  }
  return node;
}

function childOf(node: Located, step: string | number): Located | undefined {
  if (node.kind === 'map') return node.entries.get(String(step))?.node;
  return node.kind === 'list' ? node.items[Number(step)] : undefined;
}

/**
 * Plain values for a decoder.
 *
 * @param asText scalars to be read as text although they look like numbers
 */
export function plainValue(node: Located, asText: ReadonlySet<LocatedScalar> = new Set()): unknown {
  switch (node.kind) {
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, { node }]) => [key, plainValue(node, asText)]));
    case 'list':
      return node.items.map(item => plainValue(item, asText));
    case 'scalar':
      return asText.has(node) ? node.text : node.value;
    case 'unreadable':
      return undefined;
  }
}

const secretKey = /pass(word|phrase)?$|secret|token|credential|api-?key|private-?key|\btls\.key$/i;
const longestShown = 60;

/** A value as a problem may show it: never what came from the environment or stands under a secret's key. */
export function shown(node: Located, path: string): string {
  if (node.kind === 'map') return 'a map of keys';
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'unreadable') return 'the value';
  if (node.written !== undefined) return shorten(node.written);
  if (secretKey.test(path)) return 'the value (not shown)';
  return shorten(typeof node.value === 'string' ? JSON.stringify(node.value) : String(node.value));
}

function shorten(text: string): string {
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}...`;
}
