// Original file: portolan/v1/internal.proto


export interface Lead {
  'version'?: (number);
  'nonce'?: (string);
  'inSync'?: (string)[];
}

export interface Lead__Output {
  'version': (number);
  'nonce': (string);
  'inSync': (string)[];
}
