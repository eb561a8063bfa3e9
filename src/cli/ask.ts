import { connect } from './connection.ts';
import type { Place } from './place.ts';

/** Puts one question to a place, or to the process that runs on it. */
export async function ask(place: Place, name: string, args: readonly string[]): Promise<unknown> {
  const connection = await connect(place);
  try {
    return await connection.ask(name, args);
  } finally {
    await connection.close();
  }
}
