import { connect } from './connection.ts';

/** Puts one question to the process that runs on the folder, else to the folder itself. */
export async function ask(
  folder: string | undefined,
  name: string,
  args: readonly string[],
): Promise<unknown> {
  const connection = await connect(folder);
  try {
    return await connection.ask(name, args);
  } finally {
    await connection.close();
  }
}
