import { fileURLToPath } from 'node:url';

/**
 * Where programs that tests start keep what Node has compiled of them, and share it: half of a short program's life is
 * spent on reading its code. The value of `NODE_COMPILE_CACHE`.
 */
export const compileCache: string = fileURLToPath(
  new URL('../node_modules/.cache/cryptorun-tests', import.meta.url),
);
