declare module "murmurhash3js-revisited" {
  const murmurHash3: {
    /** Whether every byte is looked at before it is hashed. */
    inputValidation: boolean;
    x86: {
      /** An unsigned 32-bit integer; undefined when `bytes` are not bytes. */
      hash32(bytes: Uint8Array, seed?: number): number | undefined;
    };
  };
  export default murmurHash3;
}
