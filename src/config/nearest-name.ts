const longest = 64;

/** The fewest letters to insert, drop, replace or swap with the neighbour to turn one name into the other. */
export function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(
        Math.min(
          (above[column] ?? Infinity) + 1,
          (current[column - 1] ?? Infinity) + 1,
          (above[column - 1] ?? Infinity) + (same ? 0 : 1),
          swapped ? (before[column - 2] ?? Infinity) + 1 : Infinity,
        ),
      );
    }
    before = above;
    above = current;
  }
  return above[to.length] ?? 0;
}

/**
 * The known name that was probably meant: the nearest by edit distance, at most a third of the letters away.
 * Undefined where none is near; capital letters do not count as a difference.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > longest) return undefined;
  const [nearest] = known
    .map(candidate => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(
      ({ candidate, distance }) => distance < candidate.length && distance <= Math.ceil(candidate.length / 3),
    )
    .toSorted((a, b) => a.distance - b.distance);
  return nearest?.candidate;
}

/** A sentence's end that names what was probably meant, else everything that is known. */
export function knownNames(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  const all = known.length === 0 ? 'nothing is known here' : `known: ${known.join(', ')}`;
  return nearest === undefined ? all : `did you mean ${nearest}? (${all})`;
}
