/**
 * Asks one server of `grpc.health.v1` how it is: ours, or any other that speaks the protocol. It
 * asks once and does not retry; whoever asks again and again decides how often.
 */
import * as grpc from '@grpc/grpc-js';
import { connectChannel, openChannel } from './channel.js';
import { HEALTH } from './definitions.js';

export interface HealthQuestion {
  /** HOST:PORT. */
  readonly address: string;
  /** '' = the process as a whole. */
  readonly service: string;
  /** For connecting and asking together. */
  readonly timeoutMs: number;
}

export type HealthAnswer =
  | { readonly answered: true; readonly status: string }
  /** Why there is no answer: nobody listens, too late, or no such service. */
  | { readonly answered: false; readonly problem: string };

/** Never rejects. */
export async function askHealth(question: HealthQuestion): Promise<HealthAnswer> {
  const deadline = Date.now() + question.timeoutMs;
  const client = openChannel(question.address);
  try {
    const problem = await new Promise<string | undefined>((resolve) => {
      connectChannel(client, question.timeoutMs, resolve);
    });
    if (problem !== undefined) return { answered: false, problem };
    return await check(client, question.service, deadline);
  } finally {
    client.close();
  }
}

function check(client: grpc.Client, service: string, deadline: number): Promise<HealthAnswer> {
  const { path, requestSerialize, responseDeserialize } = HEALTH.Check;
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { service },
      { deadline },
      (error, response) => {
        if (response !== undefined) return resolve({ answered: true, status: response.status });
        resolve({ answered: false, problem: problemOf(error, service) });
      },
    );
  });
}

function problemOf(error: grpc.ServiceError | null, service: string): string {
  if (error?.code === grpc.status.NOT_FOUND) return `it knows no service "${service}"`;
  if (error?.code === grpc.status.UNIMPLEMENTED) return 'it does not speak grpc.health.v1';
  if (error?.code === grpc.status.DEADLINE_EXCEEDED) return 'no answer in time';
  return error?.details ?? 'no answer';
}
