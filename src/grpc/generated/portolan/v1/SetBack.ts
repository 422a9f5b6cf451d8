// Original file: portolan/v1/internal.proto


export interface SetBack {
  'nonce'?: (string);
  'inSync'?: (string)[];
}

export interface SetBack__Output {
  'nonce': (string);
  'inSync': (string)[];
}
