import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node';

/** Who runs so many files wants to know which of them to wait less for. */
const manyFiles = 50;
/** Of the slowest. */
const shown = 12;
/** A test that takes more of its time-out than this fails on a slower machine. */
const nearTimeout = 0.6;

/**
 * Says at the end what took longest, what came near its time-out, and what was skipped and why. Where
 * `VITEST_SUMMARY` names a file, it writes the counts there, passed, failed, skipped, and after that line what failed.
 */
export default class VitestSummary implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const tests = modules.flatMap(({ children }) => [...children.allTests()]);
    const skipped = tests.filter(isSkipped);
    if (modules.length > manyFiles) process.stdout.write(`${slowestText(modules)}\n`);
    const near = tests.filter(test => durationOf(test) > nearTimeout * timeoutOf(test));
    if (near.length > 0) process.stdout.write(`${nearText(near)}\n`);
    // Who asks for some tests by name knows that the others are skipped.
    if (skipped.length > 0 && this.#vitest?.config.testNamePattern === undefined)
      process.stdout.write(`${skippedText(skipped)}\n`);
    const file = process.env['VITEST_SUMMARY'];
    if (file === undefined) return;
    const count = (state: string): number => tests.filter(test => test.result().state === state).length;
    // A file that could not be loaded holds no tests, and an error between tests belongs to none.
    const failures = [
      ...tests
        .filter(test => test.result().state === 'failed')
        .map(test => failureText(`${test.module.relativeModuleId} > ${test.fullName}`, test.result().errors)),
      ...modules
        .filter(module => module.errors().length > 0)
        .map(module => failureText(module.relativeModuleId, module.errors())),
      ...unhandled.map(error => failureText('between tests', [error])),
    ];
    const lines = [`${count('passed')} ${failures.length} ${skipped.length + count('pending')}`, ...failures];
    writeFileSync(file, `${lines.join('\n')}\n`);
  }
}

/** Its name and the beginning of its errors: what a property found may be long. */
function failureText(name: string, errors: readonly SerializedError[] = []): string {
  const messages = errors.map(({ message }) => message.slice(0, 2_000).replaceAll('\n', '\n    '));
  return [`FAILED ${name}`, ...messages.map(message => `    ${message}`)].join('\n');
}

/** The files that took longest, with seconds. */
function slowestText(modules: readonly TestModule[]): string {
  const timed = modules.map(module => ({
    file: module.relativeModuleId,
    seconds: module.diagnostic().duration / 1_000,
  }));
  const slowest = timed.toSorted((a, b) => b.seconds - a.seconds).slice(0, shown);
  const lines = slowest.map(({ file, seconds }) => `  ${seconds.toFixed(1).padStart(6)} s  ${file}`);
  return ['Slowest files:', ...lines].join('\n');
}

/** Of a test, ms; 0 where it was skipped. */
function durationOf(test: TestCase): number {
  return test.diagnostic()?.duration ?? 0;
}

/** Of a test, ms. */
function timeoutOf({ options, project }: TestCase): number {
  return options.timeout ?? project.config.testTimeout;
}

/** Those tests, with the seconds that they took and may take. */
function nearText(tests: readonly TestCase[]): string {
  const lines = tests.map(test => {
    const seconds = (durationOf(test) / 1_000).toFixed(1);
    return `  ${seconds} of ${timeoutOf(test) / 1_000} s  ${test.module.relativeModuleId} > ${test.name}`;
  });
  return ['Near their time-outs:', ...lines].join('\n');
}

/** How many were skipped for which reason, and where. */
function skippedText(tests: readonly TestCase[]): string {
  const byReason = Map.groupBy(tests, reasonOf);
  const lines = [...byReason].map(([reason, of]) => {
    const files = [...new Set(of.map(({ module }) => module.relativeModuleId))];
    return `  ${String(of.length).padStart(4)}  ${reason}: ${files.join(', ')}`;
  });
  return ['Skipped:', ...lines].join('\n');
}

/** What the test says itself; else its name, or that of its suite where all of that is skipped. */
function reasonOf(test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  const { parent } = test;
  const isAll = parent.type === 'suite' && [...parent.children.allTests()].every(isSkipped);
  return note ?? (isAll ? parent.fullName : test.fullName);
}

function isSkipped(test: TestCase): boolean {
  return test.result().state === 'skipped';
}
