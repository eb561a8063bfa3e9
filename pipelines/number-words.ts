/** A number for people: up to `digits` decimals, without trailing zeros, thousands apart from 10,000 on. */
export function inWords(value: number, digits = 2): string {
  const [whole = '', fraction = ''] = Math.abs(value).toFixed(digits).split('.');
  const grouped = whole.length > 4 && !whole.includes('e') ? whole.replace(/\B(?=(\d{3})+$)/g, ',') : whole;
  const kept = fraction.replace(/0+$/, '');
  const text = kept === '' ? grouped : `${grouped}.${kept}`;
  return value < 0 && /[1-9]/.test(text) ? `-${text}` : text;
}

/** A price for people: six significant digits, in plain notation where that is readable. */
export function priceInWords(price: number): string {
  return String(Number(price.toPrecision(6)));
}

/** A share as a percentage: 0.0512 is `5.12 %`. */
export function percentInWords(share: number): string {
  return `${inWords(share * 100)} %`;
}
