/** Conditional requests: whether `If-None-Match` names an entity tag (RFC 9110, section 13.1.2: compared weakly). */
export function matchesTag(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  const tags = ifNoneMatch.split(",").map((tag) => tag.trim());
  return tags.includes("*") || tags.some((tag) => strong(tag) === strong(etag));
}

function strong(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}
