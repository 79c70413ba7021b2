declare module "murmurhash3js-revisited" {
  const murmurHash3: {
    x86: {
      /** An unsigned 32-bit integer; undefined when `bytes` are not bytes. */
      hash32(bytes: Uint8Array, seed?: number): number | undefined;
    };
  };
  export default murmurHash3;
}
