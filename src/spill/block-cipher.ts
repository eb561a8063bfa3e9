import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/*
 * A sealed block: key id (8 bytes), salt (16), counter (u48, little-endian), ciphertext, tag (16). Each opening of a
 * folder draws a salt and derives a key of its own from it, under which the counter never repeats: that holds after a
 * crash, after a copy of the folder, and for any number of records.
 */
const algorithm = 'aes-256-gcm';
const idBytes = 8;
const saltBytes = 16;
const counterBytes = 6;
const tagBytes = 16;
const nonceBytes = 12;
const headBytes = idBytes + saltBytes + counterBytes;

/** The block was sealed with another key: nothing is wrong with it. */
export class OtherKeyError extends Error {
  override readonly name = 'OtherKeyError';

  constructor(blockKeyId: string, ownKeyId: string | undefined) {
    const own = ownKeyId === undefined ? 'no key is given' : `the key given is ${ownKeyId}`;
    super(`sealed with the key ${blockKeyId}, ${own}`);
  }
}

/** The id of the key with which a block was sealed, hex. */
export function keyIdOfBlock(block: Uint8Array): string {
  return Buffer.from(block.subarray(0, idBytes)).toString('hex');
}

/** Seals and opens blocks with AES-256-GCM. */
export class BlockCipher {
  /** Tells keys apart and nothing about them, hex. */
  readonly keyId: string;
  readonly #key: Buffer;
  readonly #head: Buffer;
  readonly #sealKey: KeyObject;
  /** Derived keys by salt: one for every opening whose blocks are still there. */
  readonly #derived = new Map<string, KeyObject>();
  #counter = 0;

  /** @param key 32 bytes */
  constructor(key: Buffer) {
    this.#key = key;
    const id = Buffer.from(hkdfSync('sha256', key, '', 'cryptorun spill key id', idBytes));
    this.keyId = id.toString('hex');
    const salt = randomBytes(saltBytes);
    this.#head = Buffer.concat([id, salt, Buffer.alloc(counterBytes)]);
    this.#sealKey = this.#derive(salt);
  }

  /** Writes the sealed block to `target` at `at`, and returns where it ends. */
  seal(plain: Uint8Array, target: Buffer, at: number): number {
    this.#head.writeUIntLE(this.#counter++, idBytes + saltBytes, counterBytes);
    const cipher = createCipheriv(algorithm, this.#sealKey, nonceOf(this.#head));
    cipher.setAAD(this.#head);
    let end = at + this.#head.copy(target, at);
    end += cipher.update(plain).copy(target, end);
    cipher.final();
    return end + cipher.getAuthTag().copy(target, end);
  }

  /**
   * @throws OtherKeyError where another key sealed it
   * @throws Error where it is damaged or was changed
   */
  open(block: Buffer): Buffer {
    if (block.length < headBytes + tagBytes) throw new RangeError(`a sealed block of ${block.length} bytes`);
    const blockKeyId = keyIdOfBlock(block);
    if (blockKeyId !== this.keyId) throw new OtherKeyError(blockKeyId, this.keyId);
    const head = block.subarray(0, headBytes);
    const key = this.#derive(head.subarray(idBytes, idBytes + saltBytes));
    const decipher = createDecipheriv(algorithm, key, nonceOf(head));
    decipher.setAAD(head);
    decipher.setAuthTag(block.subarray(block.length - tagBytes));
    const plain = decipher.update(block.subarray(headBytes, block.length - tagBytes));
    decipher.final();
    return plain;
  }

  #derive(salt: Buffer): KeyObject {
    const name = salt.toString('hex');
    const known = this.#derived.get(name);
    if (known !== undefined) return known;
    const derived = hkdfSync('sha256', this.#key, salt, 'cryptorun spill block', 32);
    const key = createSecretKey(Buffer.from(derived));
    this.#derived.set(name, key);
    return key;
  }
}

/** The counter: under a key that is derived anew for every opening it alone makes the nonce unique. */
function nonceOf(head: Buffer): Buffer {
  const nonce = Buffer.alloc(nonceBytes);
  head.copy(nonce, 0, idBytes + saltBytes, headBytes);
  return nonce;
}
