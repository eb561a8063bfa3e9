import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

/** Writes what came of all tests to the file that `VITEST_SUMMARY` names: counts, and the reason of each skip. */
export default class VitestSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env['VITEST_SUMMARY'];
    if (file === undefined) throw new Error('VITEST_SUMMARY names no file to write the summary to');
    const tests = modules.flatMap(({ children }) => [...children.allTests()]);
    const count = (state: string): number => tests.filter(test => test.result().state === state).length;
    // A file that could not be loaded holds no tests, and an error between tests belongs to none.
    const broken = modules.filter(module => module.errors().length > 0).length + unhandled.length;
    const skipped = tests.filter(test => test.result().state === 'skipped');
    const lines = [
      `${count('passed')} ${count('failed') + broken} ${skipped.length + count('pending')}`,
      ...skipped.map(test => `${test.module.relativeModuleId}: ${test.fullName}${reasonOf(test)}`),
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
  }
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return result.state === 'skipped' && result.note !== undefined ? ` (${result.note})` : '';
}
