/** The bindings PREFIX_0, PREFIX_1, … of a worker, as many as are configured: their number is the number of shards. */
export function numberedBindings<Prefix extends string, Binding>(
  env: { readonly [name in `${Prefix}${number}`]?: Binding },
  prefix: Prefix,
): Binding[] {
  const bindings: Binding[] = [];
  for (;;) {
    const name: `${Prefix}${number}` = `${prefix}${bindings.length}`;
    const binding = env[name];
    if (binding === undefined) return bindings;
    bindings.push(binding);
  }
}
