// Original file: portolan/v1/internal.proto


export interface Frame {
  'records'?: (Buffer | Uint8Array | string);
  'sentMs'?: (number | string);
}

export interface Frame__Output {
  'records': (Buffer);
  'sentMs': (number);
}
