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
  /** A policy that the page itself declares in a meta element. */
  add(policy: string): void;
}

/** @param header all policies, joined by commas as headers are */
export function contentSecurityPolicy(header: string | null): Csp {
  const policies = (header ?? "").split(",").map(directivesOf);
  const sources = (...names: string[]) =>
    policies.flatMap((policy) => {
      const name = names.find((each) => policy.has(each));
      return name === undefined ? [] : [policy.get(name) ?? []];
    });
  return {
    script() {
      const sandboxed = policies.some(
        (policy) => policy.get("sandbox")?.includes("allow-scripts") === false,
      );
      return sandboxed ? null : inline(sources("script-src-elem", "script-src", "default-src"));
    },
    stylesheet: () => inline(sources("style-src-elem", "style-src", "default-src")),
    styleAttribute: () =>
      sources("style-src-attr", "style-src", "default-src").every(allowsAllInline),
    add(policy) {
      policies.push(...policy.split(",").map(directivesOf));
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
