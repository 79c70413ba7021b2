import { describe, expect, test } from "vitest";
import { beta } from "./beta.ts";
import { chiSquare } from "./chi-square.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };
import { outside } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import { normal } from "./normal.ts";
import { studentT } from "./student-t.ts";

const BODY = 1e-12;
const DEEP_TAIL = 1e-10;

const deep = ([, , expected]: Figure): boolean => Math.abs(expected ?? 0) < 1e-15;

/** What misses the reference, whose deep tail asks for two digits fewer. */
function misses(figures: readonly Figure[]): string[] {
  const tail = figures.filter(deep);
  const body = figures.filter((figure) => !deep(figure));
  return outside(body, { relative: BODY }).concat(
    tail.length > 0 ? outside(tail, { relative: DEEP_TAIL }) : [],
  );
}

describe("reference vectors, 1e-12 relative and 1e-10 in the deep tail", () => {
  test("normal cdf, sf and logSf", () => {
    expect(
      misses(
        vectors.normalCdf.flatMap(({ z, cdf, sf, logSf }): Figure[] => [
          [`cdf ${z}`, normal.cdf(z), cdf],
          [`sf ${z}`, normal.sf(z), sf],
          // Below −10 the reference rounds to 0 what is minus the other tail.
          [`logSf ${z}`, normal.logSf(z), logSf === 0 ? -cdf : logSf],
        ]),
      ),
    ).toEqual([]);
  });

  test("normal quantile", () => {
    expect(
      misses(
        vectors.normalQuantile.flatMap(({ p, quantile, upperQuantile }): Figure[] => [
          [`${p}`, normal.quantile(p), quantile],
          [`upper ${p}`, -normal.quantile(p), upperQuantile],
        ]),
      ),
    ).toEqual([]);
  });

  test("Student's t cdf and sf", () => {
    expect(
      misses(
        vectors.tCdf.flatMap(({ t, df, cdf, sf }): Figure[] => [
          [`cdf ${t} ${df}`, studentT.cdf(t, df), cdf],
          [`sf ${t} ${df}`, studentT.sf(t, df), sf],
        ]),
      ),
    ).toEqual([]);
  });

  test("Student's t quantile", () => {
    expect(
      misses(
        vectors.tQuantile.map(({ p, df, quantile }): Figure => [
          `${p} ${df}`,
          studentT.quantile(p, df),
          quantile,
        ]),
      ),
    ).toEqual([]);
  });

  test("chi-square cdf and sf", () => {
    expect(
      misses(
        vectors.chisq.flatMap(({ x, df, cdf, sf }): Figure[] => [
          [`cdf ${x} ${df}`, chiSquare.cdf(x, df), cdf],
          [`sf ${x} ${df}`, chiSquare.sf(x, df), sf],
        ]),
      ),
    ).toEqual([]);
  });

  test("chi-square quantile", () => {
    expect(
      misses(
        vectors.chisqQuantile.map(({ p, df, quantile }): Figure => [
          `${p} ${df}`,
          chiSquare.quantile(p, df),
          quantile,
        ]),
      ),
    ).toEqual([]);
  });

  test("beta cdf and sf", () => {
    expect(
      misses(
        vectors.beta.flatMap(({ x, a, b, cdf, sf }): Figure[] => [
          [`cdf ${x} ${a} ${b}`, beta.cdf(x, a, b), cdf],
          [`sf ${x} ${a} ${b}`, beta.sf(x, a, b), sf],
        ]),
      ),
    ).toEqual([]);
  });

  test("beta quantile", () => {
    expect(
      misses(
        vectors.betaQuantile.map(({ p, a, b, quantile }): Figure => [
          `${p} ${a} ${b}`,
          beta.quantile(p, a, b),
          quantile,
        ]),
      ),
    ).toEqual([]);
  });
});

test("Student's t with one degree of freedom is Cauchy's down to p = 1e-300, within 1e-11", () => {
  const figures = [1e-20, 1e-100, 1e-150, 1e-200, 1e-300].flatMap((p): Figure[] => [
    [`quantile ${p}`, studentT.quantile(p, 1), -1 / (Math.PI * p)],
    [`tail ${p}`, studentT.sf(1 / (Math.PI * p), 1), p],
  ]);
  expect(outside(figures, { relative: 1e-11 })).toEqual([]);
});
