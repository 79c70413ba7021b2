/**
 * The language is GrowthBook's: its own SDK answers conditions drawn at random as we do. Drawn are conditions and attributes of
 * matching types; where JavaScript's conversions decide in the SDK (a list against a number), docs/conditions.md is the law.
 */
import { GrowthBookClient } from "@growthbook/growthbook";
import {
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  integer,
  letrec,
  oneof,
  property,
  record,
  tuple,
} from "fast-check";
import type { Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import { matches, validateCondition } from "./index.ts";
import type { Condition, Json, JsonObject } from "./index.ts";

const segments = { staff: ["ada", "bob", 3], others: ["Cy"] };

const word = constantFrom("ada", "Ada", "bob", "Cy", "US", "us", "Ünal", "x y");
const number = integer({ min: 1, max: 6 });
const version = constantFrom(
  "1",
  "1.2",
  "1.2.3",
  "v1.2.3",
  "1.2.3-rc.1",
  "1.2.3-rc.10",
  "1.2.3+b",
  "1.2.3.4",
  "16.0",
  "9",
);
const pattern = constantFrom("^A", "[a-d]b", "(US|Cy)$", "^.{3}$", "a\\w+", "b\\b");

/** Operators by what they ask about, each with one operand. */
const operator = (name: string, operand: Arbitrary<Json>): Arbitrary<JsonObject> =>
  operand.map((value) => ({ [name]: value }));
const anyOf = (names: readonly string[], operand: Arbitrary<Json>) =>
  oneof(...names.map((name) => operator(name, operand)));

const comparisons = ["$gt", "$gte", "$lt", "$lte"];
const memberships = ["$in", "$nin", "$ini", "$nini"];
const always = oneof(
  operator("$exists", boolean()),
  operator("$type", constantFrom("string", "number", "boolean", "array", "object", "null")),
);

/** What may be said of an attribute of a type, plain or by operators, negated or together. */
function about(value: Arbitrary<Json>, ...operators: Arbitrary<JsonObject>[]): Arbitrary<Json> {
  const some = oneof(always, anyOf(["$eq", "$ne"], value), ...operators);
  const joined = array(some, { minLength: 1, maxLength: 3 }).map((all): JsonObject =>
    Object.assign({}, ...all),
  );
  return oneof(value, joined, operator("$not", joined), operator("$not", value));
}
const list = (items: Arbitrary<Json>) => array(items, { maxLength: 3 });

const aboutWord = about(
  word,
  anyOf(comparisons, word),
  anyOf(memberships, list(word)),
  anyOf(["$regex", "$regexi"], pattern),
  anyOf(["$inGroup", "$notInGroup"], constantFrom("staff", "others", "unknown")),
);
const aboutNumber = about(number, anyOf(comparisons, number), anyOf(memberships, list(number)));
const aboutVersion = about(
  version,
  anyOf(["$veq", "$vne", "$vgt", "$vgte", "$vlt", "$vlte"], version),
);
const aboutWords = oneof(
  list(word),
  anyOf(memberships, list(word)),
  anyOf(["$all", "$alli"], list(word)),
  operator("$size", oneof(integer({ min: 0, max: 3 }), anyOf(comparisons, number))),
  operator("$elemMatch", anyOf(["$regex", "$regexi"], pattern)),
  operator("$not", anyOf(["$all", "$in"], list(word))),
);
const aboutOrders = oneof(
  operator("$size", number),
  operator("$elemMatch", record({ price: aboutNumber, name: aboutWord }, { requiredKeys: [] })),
);

const at = (path: string, asked: Arbitrary<Json>) => operator(path, asked);
const field = oneof(
  at("name", aboutWord),
  at("age", aboutNumber),
  at("level", anyOf(comparisons, number)),
  at("member", oneof(boolean(), always)),
  at("app", aboutVersion),
  at("tags", aboutWords),
  at("tags.0", aboutWord),
  at("orders", aboutOrders),
  at("account.seats", aboutNumber),
  at("account.owner.name", aboutWord),
);

const { condition } = letrec<{ condition: Condition }>((tie) => {
  const conditions = array(tie("condition"), { maxLength: 3 });
  return {
    condition: oneof(
      { depthSize: "small", maxDepth: 3 },
      { weight: 6, arbitrary: field },
      tuple(field, field).map((both): Condition => Object.assign({}, ...both)),
      anyOf(["$and", "$or", "$nor"], conditions),
      operator("$not", tie("condition")),
    ),
  };
});

const attributes = record(
  {
    name: oneof(word, constant(null)),
    age: number,
    level: number.map(String),
    member: boolean(),
    app: version,
    tags: list(word),
    orders: list(record({ price: number, name: word }, { requiredKeys: [] })),
    account: record({ seats: number, owner: record({ name: word }) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

function byGrowthBook(asked: Condition, user: object): unknown {
  const features = { f: { defaultValue: false, rules: [{ condition: asked, force: true }] } };
  const payload = { features, savedGroups: segments };
  return new GrowthBookClient().initSync({ payload }).isOn("f", { attributes: user });
}

test("GrowthBook's own SDK gives the same answers to conditions drawn at random", () => {
  const answers = { true: 0, false: 0 };
  assert(
    property(condition, attributes, (asked, user) => {
      if (validateCondition(asked).length > 0) return;
      const answer = matches(asked, user, segments);
      expect(answer).toBe(byGrowthBook(asked, user));
      answers[answer ? "true" : "false"] += 1;
    }),
    { numRuns: 20_000 },
  );
  // Neither answer is rare.
  expect(Math.min(answers.true, answers.false)).toBeGreaterThan(5_000);
});
