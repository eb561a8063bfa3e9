/**
 * Snappy as Kafka's Java clients frame it: a header, then blocks of 32 KiB, each with its compressed length in front.
 * Clients on librdkafka write a single block without a frame; that is read too.
 */
const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const version = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1]);
const headerBytes = magic.length + version.length;
const blockBytes = 32 * 1024;

type Transform = (block: Buffer) => Promise<Buffer | string>;

export async function compressXerial(data: Buffer, compress: Transform): Promise<Buffer> {
  const parts: Buffer[] = [magic, version];
  for (let at = 0; at < data.length; at += blockBytes) {
    const block = Buffer.from(await compress(data.subarray(at, at + blockBytes)));
    parts.push(lengthOf(block), block);
  }
  return Buffer.concat(parts);
}

export async function decompressXerial(data: Buffer, decompress: Transform): Promise<Buffer> {
  if (!data.subarray(0, magic.length).equals(magic)) return Buffer.from(await decompress(data));
  const parts: Buffer[] = [];
  for (let at = headerBytes; at < data.length;) {
    const length = data.readUInt32BE(at);
    const end = at + 4 + length;
    if (end > data.length)
      throw new RangeError(`a snappy block of ${length} bytes ends past the ${data.length} of its batch`);
    parts.push(Buffer.from(await decompress(data.subarray(at + 4, end))));
    at = end;
  }
  return Buffer.concat(parts);
}

function lengthOf(block: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(block.length);
  return length;
}
