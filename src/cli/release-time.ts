/** What releasing everything may take after the drain of a worker, ms. */
export const releaseMs = 10_000;
