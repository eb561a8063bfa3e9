const seed = 0x9747b28c;
const m = 0x5bd1e995;

/** MurmurHash2, 32 bits, as Kafka's clients compute it over a key's UTF-8 bytes. */
export function murmur2(data: Uint8Array): number {
  const whole = data.length & ~3;
  let h = seed ^ data.length;
  for (let i = 0; i < whole; i += 4) {
    const word =
      (data[i] as number) |
      ((data[i + 1] as number) << 8) |
      ((data[i + 2] as number) << 16) |
      ((data[i + 3] as number) << 24);
    let k = Math.imul(word, m);
    k = Math.imul(k ^ (k >>> 24), m);
    h = Math.imul(h, m) ^ k;
  }
  const rest = data.length - whole;
  if (rest === 3) h ^= (data[whole + 2] as number) << 16;
  if (rest >= 2) h ^= (data[whole + 1] as number) << 8;
  if (rest >= 1) h = Math.imul(h ^ (data[whole] as number), m);
  h = Math.imul(h ^ (h >>> 13), m);
  return h ^ (h >>> 15);
}

const maxRemembered = 10_000;
const remembered = new Map<string, number>();

/** The partition of a key: the same as that of Kafka's default partitioner. */
export function partitionOf(key: string, partitions: number): number {
  let hash = remembered.get(key);
  if (hash === undefined) {
    hash = murmur2(Buffer.from(key)) & 0x7fffffff;
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(key, hash);
  }
  return hash % partitions;
}
