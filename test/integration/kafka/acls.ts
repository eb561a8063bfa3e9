import { readFileSync } from 'node:fs';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import type { KafkaCluster } from '../../brokers/kafka/kafka-cluster.ts';
import { adminOf } from './admin.ts';

const resourceTypes = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  'transactional id': AclResourceTypes.TRANSACTIONAL_ID,
} as const;

/** Grants rights as the super user `admin` of a cluster. */
export interface Grants {
  allow(
    user: string,
    right: 'DESCRIBE' | 'READ' | 'WRITE',
    kind: keyof typeof resourceTypes,
    name: string,
  ): Promise<void>;
}

export async function acls(kafka: KafkaCluster, ca: string): Promise<Grants> {
  const admin = await adminOf(kafka.bootstrap, {
    ssl: { ca: [readFileSync(ca)] },
    sasl: { mechanism: 'plain', username: 'admin', password: 'admin-secret' },
  });
  return {
    async allow(user, right, kind, name) {
      await admin.createAcls({
        acl: [
          {
            resourceType: resourceTypes[kind],
            resourceName: name,
            resourcePatternType: ResourcePatternTypes.LITERAL,
            principal: `User:${user}`,
            host: '*',
            operation: AclOperationTypes[right],
            permissionType: AclPermissionTypes.ALLOW,
          },
        ],
      });
    },
  };
}
