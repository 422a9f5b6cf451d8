/** Asks one storage node what it holds. Asks once; whoever asks again decides how often. */
import * as grpc from '@grpc/grpc-js';
import type { Inventory, ScrubFinding, ScrubQuestion } from '../model/inspection.js';
import { connectChannel, openChannel } from './channel.js';
import { INSPECTION } from './definitions.js';
import { fromWireFinding, fromWireInventory, InspectionError } from './inspection-codec.js';

/** @throws InspectionError, BadRecordError */
export async function askInventory(address: string, timeoutMs: number): Promise<Inventory> {
  return fromWireInventory(await ask(address, INSPECTION.Inventory, {}, timeoutMs));
}

/** @throws InspectionError, BadRecordError */
export async function askScrub(
  address: string,
  { shard, shardUuid, at }: ScrubQuestion,
  timeoutMs: number,
): Promise<ScrubFinding> {
  const request = { shard, shardUuid, at: at ?? 0 };
  return fromWireFinding(await ask(address, INSPECTION.Scrub, request, timeoutMs));
}

async function ask<Request, Response>(
  address: string,
  { path, requestSerialize, responseDeserialize }: grpc.MethodDefinition<Request, Response>,
  request: Request,
  timeoutMs: number,
): Promise<Response> {
  const deadline = Date.now() + timeoutMs;
  const client = openChannel(address);
  try {
    await new Promise<void>((resolve, reject) => {
      connectChannel(client, timeoutMs, (problem) => {
        if (problem === undefined) resolve();
        else reject(new InspectionError(problem));
      });
    });
    return await new Promise<Response>((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        { deadline },
        (error, response) => {
          if (response !== undefined) resolve(response);
          else reject(new InspectionError(error?.details ?? 'no answer', { cause: error }));
        },
      );
    });
  } finally {
    client.close();
  }
}
