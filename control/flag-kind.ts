/** Flags: checked against the rest of the environment, kept in the form that evaluates. */

import type { FlagBody } from "../contracts/flag.ts";
import { checkFlagChange } from "./check-flag-change.ts";
import { checkFlag } from "./check-flag.ts";
import { checkSalt } from "./definition-kind.ts";
import type { DefinitionKind } from "./definition-kind.ts";
import { authoredFlag, storedFlag } from "./flag-form.ts";
import { movedUnits } from "./moved-units.ts";
import { usersOfFlag } from "./references.ts";

export const flagKind: DefinitionKind<"flag", FlagBody> = {
  entity: "flag",
  plural: "flags",
  of: (state) => state.flags,
  write: (definition) => ({ entity: "flag", definition }),
  check: (body, state, before) => [
    ...checkSalt(body.salt, before),
    ...checkFlag(body, state),
    ...(before === null ? [] : checkFlagChange(body, before, state)),
  ],
  stored: (body, before, freshSalt) => storedFlag(body, before?.salt ?? body.salt ?? freshSalt),
  authored: authoredFlag,
  users: usersOfFlag,
  warnings: (before, after) => (before === null ? [] : movedUnits(before, after)),
};
