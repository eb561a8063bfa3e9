import { expect, it } from 'vitest';
import { startReachable } from '../../src/cli/backend-bus.ts';
import { kafkaBus } from '../../src/bus/kafka/kafka.ts';

it('tells whom no broker answers where it looked, and how brokers are named or had', async () => {
  // Nobody listens on port 1.
  const bus = kafkaBus({ brokers: ['127.0.0.1:1'] });
  await expect(startReachable(bus)).rejects.toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(
      /127\.0\.0\.1:1:.*\n.*"brokers".*KAFKA_BROKERS=.*npm run broker:kafka/,
    ) as string,
  });
});
