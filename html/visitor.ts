/**
 * Who a request is from: the unit that experiments assign. By a first-party cookie that is minted here, or by an id that the site has.
 * Nobody: automated traffic, visitors without consent, and those whose id is missing or of a form that no event takes; they get every
 * experiment's control and are counted nowhere. What a cookie says is believed only in the form that was minted.
 */

import { parse, serialize } from "hono/utils/cookie";
import { limits } from "../contracts/limits.ts";
import { isBot } from "../http/device.ts";

const defaultCookie = "edgewise_visitor";
/** The longest that browsers keep a cookie. */
const cookieSeconds = 400 * 24 * 3_600;
const minted = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/** The cookie that is minted here, under a name of your own; or the site's own id. */
export type VisitorSource =
  | { cookieName: string }
  | { cookie: string }
  | { header: string }
  | { id: (request: Request) => string | null | Promise<string | null> };

/** Whether this visitor may be recognised and counted. */
export type Consent = (request: Request) => boolean | Promise<boolean>;

export interface Visitor {
  unit: string;
  /** A Set-Cookie for a visitor who is new. */
  setCookie: string | null;
}

/** Null: nobody. */
export async function visitorOf(
  request: Request,
  source: VisitorSource = { cookieName: defaultCookie },
  consent: Consent = () => true,
): Promise<Visitor | null> {
  if (isBot(request.headers.get("user-agent") ?? "")) return null;
  if (!(await consent(request))) return null;
  if ("cookieName" in source) return byMintedCookie(request, source.cookieName);
  const unit = await ownId(request, source);
  return isUnit(unit) ? { unit, setCookie: null } : null;
}

/** The id under which experiments know this visitor, for events that a site sends itself. Null: a visitor who has none. */
export function visitorId(request: Request, cookieName: string = defaultCookie): string | null {
  return cookiesNamed(request, cookieName).find((value) => minted.test(value)) ?? null;
}

function byMintedCookie(request: Request, name: string): Visitor {
  const known = visitorId(request, name);
  if (known !== null) return { unit: known, setCookie: null };
  const unit = crypto.randomUUID();
  const setCookie = serialize(name, unit, {
    maxAge: cookieSeconds,
    path: "/",
    sameSite: "Lax",
    secure: true,
  });
  return { unit, setCookie };
}

async function ownId(
  request: Request,
  source: Exclude<VisitorSource, { cookieName: string }>,
): Promise<string | null> {
  if ("header" in source) return request.headers.get(source.header);
  if ("cookie" in source) return cookiesNamed(request, source.cookie)[0] ?? null;
  return await source.id(request);
}

/** All of that name: a browser may send several, of several paths and domains. */
function cookiesNamed({ headers }: Request, name: string): string[] {
  return (headers.get("cookie") ?? "")
    .split(";")
    .flatMap((pair) => Object.entries(parse(pair, name)))
    .map(([, value]) => value);
}

function isUnit(unit: unknown): unit is string {
  return (
    typeof unit === "string" &&
    unit !== "" &&
    unit.length <= limits.unitLength &&
    unit.isWellFormed()
  );
}
