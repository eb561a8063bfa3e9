import { BusError } from '../../../core/publisher.ts';
import type { Brokers } from './brokers.ts';

/** @throws BusError `unsupported-capability` where the brokers are too old, or too new, for what is asked of them */
export async function requireVersions(brokers: Brokers): Promise<void> {
  const { client } = brokers;
  const { apiKeys } = await brokers.askAny(client.apiVersionsV3.api, 'cryptorun', '1');
  const asked = [
    { key: 0, version: 8 },
    { key: 1, version: 11 },
    client.metadataV9.api,
    client.initProducerIdV4.api,
    client.addPartitionsToTxnV3.api,
    client.addOffsetsToTxnV3.api,
    client.txnOffsetCommitV3.api,
    client.endTxnV3.api,
    client.describeProducersV0.api,
    { key: 27, version: 1 },
    client.findCoordinatorV3.api,
    client.joinGroupV7.api,
    client.syncGroupV5.api,
    client.heartbeatV4.api,
    client.leaveGroupV4.api,
    client.offsetCommitV8.api,
    client.offsetFetchV7.api,
    client.listOffsetsV5.api,
    client.listGroupsV3.api,
    client.deleteGroupsV2.api,
    client.createTopicsV6.api,
    client.deleteTopicsV5.api,
    client.createPartitionsV3.api,
    client.describeConfigsV4.api,
    client.incrementalAlterConfigsV1.api,
    client.describeLogDirsV2.api,
  ];
  for (const { key, version } of asked) {
    const {
      name = key,
      minVersion = -1,
      maxVersion = -1,
    } = apiKeys.find(({ apiKey }) => apiKey === key) ?? {};
    if (version >= minVersion && version <= maxVersion) continue;
    throw new BusError(
      'unsupported-capability',
      `the brokers speak ${name} in versions ${minVersion} to ${maxVersion} and driver platformatic speaks ${version}: use brokers of Kafka 2.8 to 4, or driver kafkajs`,
    );
  }
}
