/** How a partition is called in texts and in the ledger. */
export function partitionName(topic: string, partition: number): string {
  return `${topic}[${partition}]`;
}
