/**
 * Holds answers against the published OFREP contract. As published, a success is `oneOf` schemas that overlap, which refuses the
 * contract's own examples, and the reasons omit DEFAULT: `anyOf` is read, and DEFAULT is added.
 */

import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import * as z from "zod/mini";
import { sharedFile } from "./shared-folder.ts";

const singleSchemas: Record<number, string> = {
  200: "serverEvaluationSuccess",
  400: "evaluationFailure",
  404: "flagNotFound",
  500: "generalErrorResponse",
};
const bulkSchemas: Record<number, string> = {
  200: "bulkEvaluationSuccess",
  400: "bulkEvaluationFailure",
  500: "generalErrorResponse",
};
/** Their bodies are not in the contract. */
const others = new Set([401, 403, 429]);

const repairable = z.looseObject({
  components: z.looseObject({
    schemas: z.looseObject({
      evaluationSuccess: z.looseObject({
        allOf: z.tuple([
          z.looseObject({
            properties: z.looseObject({ reason: z.looseObject({ enum: z.array(z.string()) }) }),
          }),
          z.looseObject({ oneOf: z.array(z.unknown()) }),
        ]),
      }),
    }),
  }),
});

/** What is wrong with an answer by the contract; null when nothing is. */
export type Findings = (url: string, response: Response) => Promise<string | null>;

/** Null when the contract is not there. */
export function ofrepContract(): Findings | null {
  const file = sharedFile("conformance/ofrep-openapi.yaml");
  if (file === null) return null;
  const contract = z.parse(repairable, parse(readFileSync(file, "utf8")));
  const { evaluationSuccess } = contract.components.schemas;
  const [common, typed] = evaluationSuccess.allOf;
  common.properties.reason.enum.push("DEFAULT");
  const repaired = { ...evaluationSuccess, allOf: [common, { anyOf: typed.oneOf }] };
  const schemas = { ...contract.components.schemas, evaluationSuccess: repaired };
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ components: { schemas } }, "ofrep");

  return async (url, response) => {
    const { status } = response;
    if (status === 304) return (await response.text()) === "" ? null : "a 304 with a body";
    if (others.has(status)) return null;
    const isBulk = new URL(url).pathname === "/ofrep/v1/evaluate/flags";
    const name = (isBulk ? bulkSchemas : singleSchemas)[status];
    const validate = name && ajv.getSchema(`ofrep#/components/schemas/${name}`);
    if (!validate) return `the contract has no ${status}`;
    const body: unknown = await response.json();
    if (validate(body) === true) return null;
    return `${ajv.errorsText(validate.errors)}: ${JSON.stringify(body)}`;
  };
}
