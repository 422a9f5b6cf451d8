// Original file: portolan/v1/internal.proto


export interface MemberHello {
  'id'?: (string);
  'process'?: (string);
}

export interface MemberHello__Output {
  'id': (string);
  'process': (string);
}
