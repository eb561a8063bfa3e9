import { type Answer, codeAlone } from './coordinator.ts';
import type { RawRequest } from './raw-request.ts';

/** Takes a member out of its group: LeaveGroup, version 1. */
export function leaveGroup(group: string, memberId: string): RawRequest<readonly Answer[]> {
  return {
    apiKey: 13,
    apiVersion: 1,
    apiName: 'LeaveGroup',
    encode: encoder => encoder().writeString(group).writeString(memberId),
    decode: codeAlone,
  };
}
