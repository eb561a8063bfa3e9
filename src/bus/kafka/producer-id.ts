/** Under what name brokers count what a producer sends, so that nothing is stored twice. */
export interface ProducerId {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** In place of a name: whoever has it not yet. */
export const nobody: ProducerId = { producerId: -1n, producerEpoch: -1 };
