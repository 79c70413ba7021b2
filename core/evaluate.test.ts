import { expect, test } from "vitest";
import { bucket, compile, evaluate } from "./index.ts";
test("smoke", () => {
  const c = compile({
    formatVersion: 1,
    environment: "e",
    version: 1,
    flags: [
      {
        key: "f",
        type: "boolean",
        variants: [
          { key: "on", value: true },
          { key: "off", value: false },
        ],
        defaultVariant: "off",
        enabled: true,
        salt: "s",
        rules: [{ experiment: "x" }],
      },
    ],
    experiments: [
      {
        key: "x",
        hashVersion: 1,
        phase: 2,
        salt: "v",
        unit: "targetingKey",
        control: "off",
        variants: [
          { variant: "off", weightBasisPoints: 5000 },
          { variant: "on", weightBasisPoints: 5000 },
        ],
        layer: null,
        layerSalt: "l",
        slots: [[0, 5000]],
      },
    ],
    holdouts: [],
    segments: [],
  });
  for (let i = 0; i < 1000; i++) {
    const r = evaluate(c, "f", { targetingKey: "u" + i }, 0);
    const inn = bucket("l", "u" + i) < 5000;
    expect(r.exposure?.variant).toBe(
      inn ? (bucket("v", "u" + i) < 5000 ? "off" : "on") : undefined,
    );
    expect(r.reason).toBe(inn ? "SPLIT" : "DEFAULT");
  }
  expect(evaluate(c, "f", {})).toEqual({
    flag: "f",
    value: false,
    variant: "off",
    reason: "DEFAULT",
    errorCode: "TARGETING_KEY_MISSING",
  });
});
