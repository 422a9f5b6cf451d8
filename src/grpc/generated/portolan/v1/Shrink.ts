// Original file: portolan/v1/internal.proto


export interface Shrink {
  'node'?: (string);
}

export interface Shrink__Output {
  'node': (string);
}
