// Original file: portolan/v1/internal.proto


export interface Leaving {
}

export interface Leaving__Output {
}
