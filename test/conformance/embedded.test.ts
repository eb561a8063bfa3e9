import { embeddedBus } from '../../src/bus/embedded/embedded.ts';
import { temporaryFolder } from '../bus/embedded/temporary-bus.ts';
import { runConformance } from './run-conformance.ts';

runConformance('embedded', () => {
  const dir = temporaryFolder();
  return options => embeddedBus({ fsync: 'never', ...options, dir });
});
