// stub
export class BridgeServer {
  onBusy: (isBusy: boolean) => void = () => {};
  constructor(
    _objects: readonly object[],
    _most: number,
    _send: (kind: number, body: Uint8Array) => void,
  ) {}
  take(_body: Uint8Array): void {}
  cancel(_body: Uint8Array): void {}
  close(): void {}
}
