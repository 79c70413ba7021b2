/** The bindings PREFIX_0, PREFIX_1, … of a worker, as many as are configured: their number is the number of shards. */
export function numberedBindings<
  Prefix extends string,
  Env extends { readonly [name in `${Prefix}${number}`]?: unknown },
>(env: Env, prefix: Prefix): NonNullable<Env[`${Prefix}${number}`]>[] {
  const bindings: NonNullable<Env[`${Prefix}${number}`]>[] = [];
  for (;;) {
    const name: `${Prefix}${number}` = `${prefix}${bindings.length}`;
    const binding = env[name];
    if (binding === undefined || binding === null) return bindings;
    bindings.push(binding);
  }
}
