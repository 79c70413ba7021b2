/**
 * What a page's content security policies (CSP Level 3) allow to be written into it: inline scripts and style sheets, by nonce or at
 * all, and style attributes. Never weakens a policy: what is forbidden is not injected.
 */

type Directives = ReadonlyMap<string, readonly string[]>;

/** Null: forbidden. `nonce` is what the element must carry, if anything. */
export type Permission = { nonce: string | null } | null;

export interface Csp {
  script(): Permission;
  stylesheet(): Permission;
  styleAttribute(): boolean;
  /** `onclick` and the like. */
  scriptAttribute(): boolean;
  /** `javascript:` in an address. */
  scriptAddress(): boolean;
  /** A policy that the page itself declares in a meta element. Null: one that cannot be read, which is taken to forbid everything. */
  add(policy: string | null): void;
}

/** @param header all policies, joined by commas as headers are */
export function contentSecurityPolicy(header: string | null): Csp {
  const policies = (header ?? "").split(",").map(directivesOf);
  const sources = (...names: string[]) =>
    policies.flatMap((policy) => {
      const name = names.find((each) => policy.has(each));
      return name === undefined ? [] : [policy.get(name) ?? []];
    });
  const isSandboxed = () =>
    policies.some((policy) => policy.get("sandbox")?.includes("allow-scripts") === false);
  const script = () =>
    isSandboxed() ? null : inline(sources("script-src-elem", "script-src", "default-src"));
  return {
    script,
    stylesheet: () => inline(sources("style-src-elem", "style-src", "default-src")),
    styleAttribute: () =>
      sources("style-src-attr", "style-src", "default-src").every(allowsAllInline),
    scriptAttribute: () =>
      !isSandboxed() &&
      sources("script-src-attr", "script-src", "default-src").every(allowsAllInline),
    scriptAddress: () => script()?.nonce === null,
    add(policy) {
      for (const each of (policy ?? "default-src 'none'").split(",")) {
        const directives = new Map(directivesOf(each));
        // A meta element cannot say it.
        directives.delete("sandbox");
        policies.push(directives);
      }
    },
  };
}

function directivesOf(policy: string): Directives {
  const directives = new Map<string, readonly string[]>();
  for (const directive of policy.split(";")) {
    const [name = "", ...values] = directive.trim().split(/\s+/);
    // The first of a name counts.
    if (name !== "" && !directives.has(name.toLowerCase())) {
      directives.set(name.toLowerCase(), values);
    }
  }
  return directives;
}

/** Every policy must allow it, by one and the same nonce where nonces are asked for. */
function inline(lists: readonly (readonly string[])[]): Permission {
  let nonce: string | null = null;
  for (const sources of lists) {
    const [given] = sources.flatMap((source) => /^'nonce-(.+)'$/i.exec(source)?.[1] ?? []);
    if (given === undefined) {
      if (!allowsAllInline(sources)) return null;
    } else if (nonce === null) nonce = given;
    else if (!sources.includes(`'nonce-${nonce}'`)) return null;
  }
  return { nonce };
}

/** 'unsafe-inline' says nothing beside a nonce, a hash or 'strict-dynamic'. */
function allowsAllInline(sources: readonly string[]): boolean {
  const lower = sources.map((source) => source.toLowerCase());
  return (
    lower.includes("'unsafe-inline'") &&
    !lower.some((source) => /^'(?:nonce-|sha\d+-|strict-dynamic)/.test(source))
  );
}
