import { stubBus } from '../../src/bus/embedded/stub.ts';
import { runConformance } from './run-conformance.ts';

runConformance('stub', () => stubBus);
