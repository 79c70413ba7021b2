import { describe, expect, test } from "vitest";
import type { Phase } from "../contracts/phase.ts";
import { seededRandom } from "../test/seeded-random.ts";
import { converted, matured, phaseOf, startMs } from "./fixtures.ts";
import type { LedgerRow, LookCause } from "./ledger.ts";
import { askedLook } from "./look-due.ts";
import type { LookInputs } from "./look-due.ts";
import { rowsOf, takeLook } from "./take-look.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const inputsAt = (
  instant: number,
  { n, a, b }: { n: number; a: number; b: number },
  { ledger = [], phase = phaseOf() }: { ledger?: LedgerRow[]; phase?: Phase } = {},
): LookInputs => ({
  phase,
  matured: matured({ a: converted(n, a), b: converted(n, b) }),
  ledger,
  asOfMs: instant,
  watermarkMs: instant,
  recordedAtMs: instant,
});

function asked(inputs: LookInputs, cause: Exclude<LookCause, "planned"> = "asked"): LedgerRow[] {
  const due = askedLook(inputs, { cause });
  if (!due.ok) throw new Error(due.problem.detail);
  return rowsOf(inputs, due.value);
}

const refusal = (inputs: LookInputs, cause: Exclude<LookCause, "planned"> = "asked") => {
  const due = askedLook(inputs, { cause });
  return due.ok ? null : due.problem.detail;
};

const even = { n: 1_500, a: 150, b: 150 };

describe("a look that is asked for", () => {
  test("spends what its information allows, between planned ones, and the planned ones follow it", () => {
    const first = takeLook(inputsAt(startMs + dayMs, { n: 1_000, a: 100, b: 100 }));
    const between = asked(inputsAt(startMs + 2 * dayMs, even, { ledger: first }));
    expect(between).toMatchObject([{ look: 2, cause: "asked", informationFraction: 0.3 }]);
    const ledger = [...first, ...between];
    const planned = takeLook(
      inputsAt(startMs + 3 * dayMs, { n: 2_000, a: 200, b: 200 }, { ledger }),
    );
    expect(planned).toMatchObject([{ look: 3, cause: "planned", informationFraction: 0.4 }]);
    // gsDesign::sfLDOF at 0.2, 0.3, 0.4: what is spent by 0.4 does not depend on the look in between.
    const without = takeLook(
      inputsAt(startMs + 3 * dayMs, { n: 2_000, a: 200, b: 200 }, { ledger: first }),
    );
    expect(planned[0]?.alphaSpent).toBeCloseTo(without[0]?.alphaSpent ?? 0, 15);
    expect(planned[0]?.boundary).toBeGreaterThan(without[0]?.boundary ?? 0);
  });

  test("is refused without new information, within an hour of the last, on too little, and when no alpha is left", () => {
    const first = takeLook(inputsAt(startMs + dayMs, { n: 1_000, a: 100, b: 100 }));
    expect(refusal(inputsAt(startMs + dayMs, even, { ledger: first }))).toMatch(/No unit/);
    expect(refusal(inputsAt(startMs + dayMs + 1_000, even, { ledger: first }))).toMatch(/hour/);
    expect(refusal(inputsAt(startMs, { n: 1_500, a: 99, b: 150 }))).toMatch(/100 conversions/);
    const closed = takeLook(inputsAt(startMs + dayMs, { n: 5_000, a: 500, b: 505 }));
    expect(
      refusal(inputsAt(startMs + 2 * dayMs, { n: 6_000, a: 600, b: 600 }, { ledger: closed })),
    ).toMatch(/No alpha/);
    const crossed = takeLook(inputsAt(startMs + dayMs, { n: 2_000, a: 200, b: 400 }));
    expect(
      refusal(inputsAt(startMs + 2 * dayMs, { n: 3_000, a: 300, b: 600 }, { ledger: crossed })),
    ).toMatch(/No alpha/);
  });

  test("is refused, but for the last, by a Haybittle–Peto plan of one look whose alpha is less than a look at |z| = 3 spends", () => {
    const spending = "haybittle-peto" as const;
    const single = { spending, looks: { fractions: [1] } };
    // 2 (1 − Φ(3)) = 0.0026998
    const phase = phaseOf({}, { ...single, alpha: 0.0026, ledgerAlpha: 0.0026 });
    const inputs = inputsAt(startMs + dayMs, even, { phase });
    expect(refusal(inputs)).toMatch(/haybittle-peto/);
    expect(asked(inputs, "declared")).toMatchObject([{ final: true, alphaSpent: 0.0026 }]);
    const enough = phaseOf({}, { ...single, alpha: 0.0028, ledgerAlpha: 0.0028 });
    const [interim] = asked(inputsAt(startMs + dayMs, even, { phase: enough }));
    expect(interim).toMatchObject({ final: false, boundary: 3 });
  });

  test("declared to be the last spends the rest at the information that there is (underrun), and nothing follows", () => {
    const first = takeLook(inputsAt(startMs + dayMs, { n: 1_000, a: 100, b: 100 }));
    const [last] = asked(
      inputsAt(startMs + 2 * dayMs, { n: 3_000, a: 300, b: 300 }, { ledger: first }),
      "declared",
    );
    expect(last).toMatchObject({
      cause: "declared",
      spendingTime: 1,
      informationFraction: 0.6,
      final: true,
    });
    expect(last?.alphaSpent).toBeCloseTo(0.05, 12);
    const ledger = [...first, ...(last ? [last] : [])];
    expect(
      takeLook(inputsAt(startMs + 9 * dayMs, { n: 6_000, a: 600, b: 800 }, { ledger })),
    ).toEqual([]);
  });
});

test("the end of a calendar spends the rest: it was fixed before the data", () => {
  const phase = phaseOf({}, { looks: { every: "day", count: 2 } });
  const first = takeLook(inputsAt(startMs + dayMs, { n: 1_000, a: 100, b: 100 }, { phase }));
  const [last] = takeLook(
    inputsAt(startMs + 2 * dayMs, { n: 2_000, a: 200, b: 200 }, { phase, ledger: first }),
  );
  expect(last).toMatchObject({ spendingTime: 1, informationFraction: 0.4, final: true });
});

test("a last look on too little data spends what is left and cannot decide", () => {
  const look = (b: number) => takeLook(inputsAt(startMs + dayMs, { n: 5_000, a: 0, b }))[0];
  expect(look(12)?.z).toBeGreaterThan(3.4);
  expect(look(12)).toMatchObject({ boundary: null, crossed: false, final: true });
  // Ten conversions expected of each variant.
  expect(look(20)).toMatchObject({ boundary: expect.closeTo(1.96, 2), crossed: true });
});

describe("planned anew", () => {
  const more = (maximumSampleSize: number) =>
    phaseOf({}, { replanned: [{ atMs: startMs, maximumSampleSize, blinded: true }] });

  test("for more units: looks and spending follow the new number, the information scale and what was spent stay", () => {
    const first = takeLook(inputsAt(startMs + dayMs, { n: 2_000, a: 200, b: 200 }));
    const phase = more(20_000);
    const tooEarly = inputsAt(
      startMs + 2 * dayMs,
      { n: 3_900, a: 390, b: 390 },
      { phase, ledger: first },
    );
    expect(takeLook(tooEarly)).toEqual([]);
    const [second] = takeLook(
      inputsAt(startMs + 3 * dayMs, { n: 6_000, a: 600, b: 600 }, { phase, ledger: first }),
    );
    // 12,000 of 20,000 units; 1.2 of the information that 10,000 would have been.
    expect(second).toMatchObject({ informationFraction: 1.2, spendingTime: 0.6, final: false });
    // Lan-DeMets O'Brien-Fleming, 2·2(1 - Φ(z_{0.0125}/√0.6)).
    expect(second?.alphaSpent).toBeCloseTo(0.0076, 4);
  });

  test("for fewer: what there is completes it", () => {
    const first = takeLook(inputsAt(startMs + dayMs, { n: 2_000, a: 200, b: 200 }));
    const [last] = takeLook(
      inputsAt(
        startMs + 2 * dayMs,
        { n: 3_000, a: 300, b: 300 },
        { phase: more(6_000), ledger: first },
      ),
    );
    expect(last).toMatchObject({ informationFraction: 0.6, spendingTime: 1, final: true });
  });
});

test("400 A/A experiments, planned anew at random after their first look and ended by declaration at random (seed 11): at most 5 % cross, within three standard errors", () => {
  const random = seededRandom(11);
  const draw = (n: number, rate: number) => {
    // Normal approximation of a binomial: its tail is not what is tested here.
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.round(n * rate + normal * Math.sqrt(n * rate * (1 - rate)));
  };
  let crossed = 0;
  const experiments = 400;
  for (let i = 0; i < experiments; i += 1) {
    const replanned = [
      { atMs: 0, blinded: true, maximumSampleSize: Math.round(8_000 + 10_000 * random()) },
    ];
    const ends = 0.7 + 0.4 * random();
    const ledger: LedgerRow[] = [];
    let [n, a, b] = [0, 0, 0];
    for (let day = 1; day <= 6; day += 1) {
      n += 1_000;
      a += draw(1_000, 0.3);
      b += draw(1_000, 0.3);
      const phase = ledger.length === 0 ? phaseOf() : phaseOf({}, { replanned });
      const inputs = inputsAt(startMs + day * dayMs, { n, a, b }, { phase, ledger: [...ledger] });
      const isEnd = (2 * n) / 10_000 >= ends && askedLook(inputs, { cause: "declared" }).ok;
      ledger.push(...(isEnd ? asked(inputs, "declared") : takeLook(inputs)));
    }
    if (ledger.some((row) => row.crossed)) crossed += 1;
  }
  // 0.05 + 3 √(0.05 · 0.95 / 400)
  expect(crossed / experiments).toBeLessThanOrEqual(0.0827);
  expect(crossed / experiments).toBeGreaterThan(0.02);
}, 60_000);

test("an experiment that ran to the stop it was scheduled with spends the rest, once everybody has matured", () => {
  const endMs = startMs + 2 * dayMs;
  const phase = phaseOf({ plannedEndMs: endMs, running: [[startMs, endMs]] });
  const inputs = inputsAt(startMs + 3 * dayMs, { n: 1_900, a: 190, b: 200 }, { phase });
  expect(takeLook({ ...inputs, unmatured: true })).toMatchObject([{ final: false }]);
  expect(takeLook({ ...inputs, unmatured: false })).toMatchObject([
    { final: true, spendingTime: 1, informationFraction: 0.38, cause: "planned" },
  ]);
  const early = phaseOf({ plannedEndMs: endMs, running: [[startMs, endMs - 1]] });
  expect(takeLook({ ...inputs, phase: early, unmatured: false })).toMatchObject([{ final: false }]);
});
