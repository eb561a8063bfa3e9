/** An option of an operator is out of its range; made when the operator is made, not when a message comes. */
export class OptionError extends RangeError {
  override readonly name = 'OptionError';
  /** The operator and the option, as `batch.count`. */
  readonly option: string;
  readonly value: unknown;

  constructor(option: string, value: unknown, range: string) {
    super(`${option} is ${String(value)}, must be ${range}`);
    this.option = option;
    this.value = value;
  }
}

/** The value, if it is a whole number within the bounds. @throws OptionError */
export function wholeNumber(
  option: string,
  value: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  const range =
    max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`;
  throw new OptionError(option, value, range);
}

/** The value, if it is a finite number within the bounds. @throws OptionError */
export function finiteNumber(
  option: string,
  value: number,
  min: number,
  max: number = Number.MAX_VALUE,
): number {
  if (Number.isFinite(value) && value >= min && value <= max) return value;
  throw new OptionError(
    option,
    value,
    max === Number.MAX_VALUE ? `a number from ${min}` : `a number from ${min} to ${max}`,
  );
}
