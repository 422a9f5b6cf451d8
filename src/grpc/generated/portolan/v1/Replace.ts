// Original file: portolan/v1/internal.proto


export interface Replace {
  'node'?: (string);
}

export interface Replace__Output {
  'node': (string);
}
