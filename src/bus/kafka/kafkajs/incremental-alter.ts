import type { Broker } from 'kafkajs';
import { protocolError, sendRaw } from './raw-request.ts';

const topicResource = 2;
const setOperation = 0;

/**
 * Sets settings of a topic and leaves its others alone: IncrementalAlterConfigs, version 0. kafkajs itself only has
 * the older request, which forgets every setting that it does not name.
 */
export async function setConfigs(
  broker: Broker,
  topic: string,
  configs: Readonly<Record<string, string>>,
): Promise<void> {
  const errors = await sendRaw(broker, {
    apiKey: 44,
    apiVersion: 0,
    apiName: 'IncrementalAlterConfigs',
    encode: encoder =>
      encoder()
        .writeArray([
          encoder()
            .writeInt8(topicResource)
            .writeString(topic)
            .writeArray(
              Object.entries(configs).map(([name, value]) =>
                encoder().writeString(name).writeInt8(setOperation).writeString(value),
              ),
            ),
        ])
        .writeBoolean(false),
    decode: decoder => {
      decoder.readInt32();
      return decoder.readArray(resource => {
        const error = protocolError(resource.readInt16(), resource.readString());
        resource.readInt8();
        resource.readString();
        return error;
      });
    },
  });
  const [error] = errors.filter(each => each !== undefined);
  if (error) throw error;
}
