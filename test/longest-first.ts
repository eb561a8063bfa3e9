import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, longest first: what begins last is waited for by all that is done. */
const longest = ['chaos', 'broker-loss', 'supervised-market', 'conformance', 'exactly-once', 'worker'];

/** Begins, of each project, with the files that take longest, also where none of them has run before. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...Map.groupBy(sorted, ({ project }) => project.name).values()].flatMap(ofProject =>
      ofProject.sort((a, b) => placeOf(a) - placeOf(b)),
    );
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = longest.findIndex(name => moduleId.endsWith(`/integration/kafka/${name}.test.ts`));
  return place < 0 ? longest.length : place;
}
