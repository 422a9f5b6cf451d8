/** `Inspection` as the server offers it: the questions of an operator's commands. */
import * as grpc from '@grpc/grpc-js';
import { RefusedError } from '../model/refusals.js';
import type { InspectionHandler } from '../ports/network.js';
import { statusOf } from './error-detail.js';
import type { InspectionHandlers } from './generated/portolan/v1/Inspection.js';
import { fromWireScrubQuestion, toWireFinding, toWireInventory } from './inspection-codec.js';
import type { ReportFailure } from './streams.js';

export function inspectionHandlers(
  inspection: InspectionHandler,
  failed: ReportFailure,
): InspectionHandlers & grpc.UntypedServiceImplementation {
  const refuse = (error: unknown) => {
    if (!(error instanceof RefusedError)) failed(error);
    return statusOf(error);
  };
  return {
    Inventory: (_, callback) => {
      try {
        callback(null, toWireInventory(inspection.inventory()));
      } catch (error) {
        callback(refuse(error));
      }
    },
    Scrub: ({ request }, callback) => {
      const question = fromWireScrubQuestion(request);
      if (question === undefined) {
        return callback(statusOf(new RefusedError('INVALID_REQUEST', 'this is no replica')));
      }
      inspection.scrub(question).then(
        (finding) => callback(null, toWireFinding(finding)),
        (error: unknown) => callback(refuse(error)),
      );
    },
  };
}
