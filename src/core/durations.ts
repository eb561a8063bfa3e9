const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
};

function parse(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-zA-Z]+)$/.exec(text.trim());
  const name = match?.[2] ?? '';
  const unit = Object.hasOwn(units, name) ? units[name] : undefined;
  return unit === undefined ? undefined : Math.round(Number(match?.[1]) * unit);
}

/** Milliseconds of a duration such as `250ms`, `30s`, `24h` or `7d`; undefined where the text is none. */
export function parseDuration(text: string): number | undefined {
  return parse(text, durationUnits);
}

/** Bytes of a size such as `512KB` or `1.5MB` (1 KB is 1024 bytes); undefined where the text is none. */
export function parseSize(text: string): number | undefined {
  return parse(text, sizeUnits);
}

function format(value: number, units: Readonly<Record<string, number>>): string {
  const [name, unit] = Object.entries(units).findLast(([, unit]) => value >= unit && value % unit === 0) ??
    Object.entries(units)[0] ?? ['', 1];
  return `${value / unit}${name}`;
}

/** The shortest exact text of a duration in milliseconds: 86400000 is `1d`. */
export function formatDuration(ms: number): string {
  return format(ms, durationUnits);
}

/** The shortest exact text of a size in bytes: 524288 is `512KB`. */
export function formatSize(bytes: number): string {
  return format(bytes, sizeUnits);
}
