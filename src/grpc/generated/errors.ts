import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { ErrorDetail as _portolan_v1_ErrorDetail, ErrorDetail__Output as _portolan_v1_ErrorDetail__Output } from './portolan/v1/ErrorDetail.js';
import type { Hint as _portolan_v1_Hint, Hint__Output as _portolan_v1_Hint__Output } from './portolan/v1/Hint.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  portolan: {
    v1: {
      ErrorDetail: MessageTypeDefinition<_portolan_v1_ErrorDetail, _portolan_v1_ErrorDetail__Output>
      Hint: MessageTypeDefinition<_portolan_v1_Hint, _portolan_v1_Hint__Output>
      Outcome: EnumTypeDefinition
      Retry: EnumTypeDefinition
    }
  }
}

