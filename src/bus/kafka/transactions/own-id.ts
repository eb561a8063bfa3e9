const mark = '.cryptorun';

/** A transactional id as brokers know it: by its end transactions of this framework are told from those of others. */
export function ownId(id: string): string {
  return `${id}${mark}`;
}

export function isOwnId(id: string): boolean {
  return id.endsWith(mark);
}
