/** What the shape of a metric's body cannot say: which fields its type needs and which it has no use for. */

import type { MetricBody } from "../contracts/metric.ts";
import type { FieldError } from "../contracts/problem.ts";

export function checkMetric(body: MetricBody): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (pointer: string, detail: string) => errors.push({ pointer, detail });
  const { type } = body;
  if (type === "ratio" && body.denominator === undefined) {
    refuse("/denominator", "A ratio needs a denominator: {event, aggregation}.");
  }
  if (type !== "ratio" && body.denominator !== undefined) {
    refuse("/denominator", `A ${type} has no denominator; use type ratio or leave it out.`);
  }
  if (type === "retention" && body.returnDays === undefined) {
    refuse("/returnDays", "A retention needs returnDays: the day on which a unit must return.");
  }
  if (type !== "retention" && body.returnDays !== undefined) {
    refuse("/returnDays", `A ${type} has no returnDays; use type retention or leave it out.`);
  }
  if (type === "retention" && body.windowHours !== undefined) {
    refuse("/windowHours", "A retention's window is its day of return; leave windowHours out.");
  }
  const converts = type === "proportion" || type === "retention";
  if (converts && body.aggregation !== undefined && body.aggregation !== "any") {
    refuse("/aggregation", `A ${type} asks whether a unit did it at all: use any or leave it out.`);
  }
  if (converts && body.cap !== undefined) {
    refuse("/cap", `A ${type} counts a unit as 0 or 1; leave cap out.`);
  }
  return errors;
}
