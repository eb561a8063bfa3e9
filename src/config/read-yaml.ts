import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, Scalar } from 'yaml';
import type { Alias, Document, Pair, YAMLMap, YAMLSeq } from 'yaml';
import type { Issue, Place } from './config-problem.ts';
import { substitute, type Environment } from './environment.ts';
import { pathTo, type Entry, type Located } from './located.ts';
import { maxFileSize } from './read-text.ts';

/** A YAML text as located values, with everything that is wrong with it as YAML. */
export interface YamlReading {
  /** Undefined where the syntax is so broken that there is nothing to look at. */
  readonly root: Located | undefined;
  readonly issues: readonly Issue[];
}

const maxNodes = 100_000;
const maxDepth = 64;
const mostSyntaxIssues = 20;
const start: Place = { line: 1, column: 1 };

/** Reads one YAML 1.2 document, its environment references put in. Never throws. */
export function readYaml(text: string, env: Environment): YamlReading {
  const lines = new LineCounter();
  try {
    // Keys are compared in the walk below: the parser's own check takes the square of their number.
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      stringKeys: true,
      resolveKnownTags: false,
      logLevel: 'error',
    });
    const syntax = syntaxIssues(document, lines);
    return syntax.length > 0 ? { root: undefined, issues: syntax } : new TreeWalk(lines, env).walk(document);
  } catch (error) {
    const cause =
      error instanceof RangeError ? 'is nested too deep' : `is no YAML that can be read (${String(error)})`;
    return { root: undefined, issues: [{ at: start, path: '', text: `${cause}, simplify it` }] };
  }
}

/** What is wrong with the syntax; one slip makes the parser stumble often at one place, which is said once. */
function syntaxIssues({ errors, warnings }: Document.Parsed, lines: LineCounter): readonly Issue[] {
  const byOffset = new Map<number, string>();
  for (const { pos, message } of [...errors, ...warnings]) {
    if (!byOffset.has(pos[0])) byOffset.set(pos[0], /call stack/.test(message) ? 'Nested too deep' : message);
  }
  return [...byOffset].slice(0, mostSyntaxIssues).map(([offset, message]) => ({
    at: placeOf(lines, offset),
    path: '',
    text: `${message}, correct the YAML here`,
  }));
}

function placeOf(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** One pass over a document: positions, environment, anchors, duplicate keys, limits. */
class TreeWalk {
  readonly #lines: LineCounter;
  readonly #env: Environment;
  readonly #issues: Issue[] = [];
  readonly #anchors = new Map<string, unknown>();
  #nodes = 0;
  #substituted = 0;
  #overLimit = false;

  constructor(lines: LineCounter, env: Environment) {
    this.#lines = lines;
    this.#env = env;
  }

  walk(document: Document.Parsed): YamlReading {
    const root = this.#read(document.contents, '', start, 0);
    // What was cut off would be taken for missing.
    return { root: this.#overLimit ? undefined : root, issues: this.#issues };
  }

  #read(node: unknown, path: string, above: Place, depth: number): Located {
    const at = this.#at(node, above);
    if (++this.#nodes > maxNodes || depth > maxDepth) return this.#stop(at, path, depth);
    if (isAlias(node)) return this.#readAlias(node, path, at, depth);
    if (isMap(node) || isSeq(node) || isScalar(node)) {
      if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    }
    if (isMap(node)) return this.#readMap(node, path, at, depth);
    if (isSeq(node)) return this.#readList(node, path, at, depth);
    return this.#readScalar(node, path, at);
  }

  #readMap(map: YAMLMap, path: string, at: Place, depth: number): Located {
    const entries = new Map<string, Entry>();
    for (const pair of map.items) {
      if (this.#overLimit) break;
      this.#readPair(pair, entries, path, at, depth);
    }
    return { kind: 'map', at, entries };
  }

  #readPair(pair: Pair, entries: Map<string, Entry>, path: string, at: Place, depth: number): void {
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    const keyAt = this.#at(pair.key, at);
    const first = entries.get(key);
    const keyPath = pathTo(path, key);
    if (first) {
      this.#report(keyAt, keyPath, `is written twice, first in line ${first.keyAt.line}, keep one of them`);
    } else if (key === '__proto__') {
      this.#report(keyAt, keyPath, 'may not be used as a key, choose another name');
    } else {
      entries.set(key, { keyAt, node: this.#read(pair.value, keyPath, keyAt, depth + 1) });
    }
  }

  #readList(list: YAMLSeq, path: string, at: Place, depth: number): Located {
    const items: Located[] = [];
    for (const [index, item] of list.items.entries()) {
      if (this.#overLimit) break;
      items.push(this.#read(item, pathTo(path, index), at, depth + 1));
    }
    return { kind: 'list', at, items };
  }

  #readAlias(alias: Alias, path: string, at: Place, depth: number): Located {
    const target = this.#anchors.get(alias.source);
    if (target !== undefined) return this.#read(target, path, at, depth + 1);
    return this.#report(at, path, `*${alias.source} stands for nothing, write &${alias.source} before it`);
  }

  #readScalar(node: unknown, path: string, at: Place): Located {
    const value = isScalar(node) ? node.value : null;
    if (typeof value === 'number' || typeof value === 'boolean') return { kind: 'scalar', at, value };
    if (typeof value !== 'string') return { kind: 'scalar', at, value: null };
    const { text, substituted, faults } = substitute(value, this.#env);
    for (const fault of faults) this.#report(at, path, fault);
    if (faults.length > 0) return { kind: 'unreadable', at };
    if (!substituted) return { kind: 'scalar', at, value: text };
    this.#substituted += text.length;
    if (this.#substituted > maxFileSize) return this.#stop(at, path, 0);
    return isScalar(node) && node.type === Scalar.PLAIN
      ? { kind: 'scalar', at, written: value, value: unquoted(text), text }
      : { kind: 'scalar', at, written: value, value: text };
  }

  #at(node: unknown, otherwise: Place): Place {
    const known = isMap(node) || isSeq(node) || isScalar(node) || isAlias(node);
    return known && node.range ? placeOf(this.#lines, node.range[0]) : otherwise;
  }

  #stop(at: Place, path: string, depth: number): Located {
    if (this.#overLimit) return { kind: 'unreadable', at };
    this.#overLimit = true;
    const text =
      depth > maxDepth
        ? `is nested deeper than ${maxDepth} levels (an anchor may hold itself), simplify it`
        : `makes the file larger than ${maxNodes} values or its variables larger than 1MB, use fewer aliases`;
    return this.#report(at, path, text);
  }

  #report(at: Place, path: string, text: string): Located {
    this.#issues.push({ at, path, text });
    return { kind: 'unreadable', at };
  }
}

/** What YAML makes of an unquoted text: a number, true, false, or the text. */
function unquoted(text: string): string | number | boolean {
  if (/^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/.test(text)) return Number(text);
  return text === 'true' || text === 'false' ? text === 'true' : text;
}
