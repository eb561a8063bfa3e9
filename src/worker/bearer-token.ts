import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A secret that is made anew each time: 256 random bits as text. */
export function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Whether a header `authorization: Bearer ...` carries the token; takes as long whatever it carries. */
export function carriesToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
