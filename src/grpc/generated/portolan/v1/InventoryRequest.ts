// Original file: portolan/v1/internal.proto


export interface InventoryRequest {
}

export interface InventoryRequest__Output {
}
