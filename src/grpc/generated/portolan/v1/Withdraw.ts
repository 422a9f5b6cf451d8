// Original file: portolan/v1/internal.proto


export interface Withdraw {
  'node'?: (string);
}

export interface Withdraw__Output {
  'node': (string);
}
