import { expect, it } from 'vitest';
import { crc32c } from '../../../../src/bus/kafka/records/crc32c.ts';

// The check value of the polynomial's catalogue, and the iSCSI examples of RFC 3720, B.4.
it.each([
  [Buffer.from('123456789'), 0xe3069283],
  [Buffer.alloc(32), 0x8a9136aa],
  [Buffer.alloc(32, 0xff), 0x62a8ab43],
  [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  [Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
  [Buffer.alloc(0), 0],
])('of %o is %i', (bytes, checksum) => {
  expect(crc32c(bytes)).toBe(checksum);
});

it('can be had of a part', () => {
  expect(crc32c(Buffer.from('..123456789.'), 2, 11)).toBe(0xe3069283);
});
