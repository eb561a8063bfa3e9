import { registerHooks } from 'node:module';

/** Lets a program that imports the package by its name run against the sources: `node --import` this file. */
const sources: Readonly<Record<string, string>> = {
  'cryptorun-streams': '../../src/index.ts',
  'cryptorun-streams/operators': '../../operators/index.ts',
  'cryptorun-streams/pipelines': '../../pipelines/index.ts',
  'cryptorun-streams/testing': '../../src/testing/index.ts',
};

registerHooks({
  resolve: (specifier, context, next) => {
    const source = sources[specifier];
    return source === undefined
      ? next(specifier, context)
      : { url: new URL(source, import.meta.url).href, shortCircuit: true };
  },
});
