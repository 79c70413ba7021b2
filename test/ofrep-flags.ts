/** A flag of every type, and flags that are disabled, matched and split. */

const onOff = [
  { key: "on", value: true },
  { key: "off", value: false },
];
const keep = { defaultVariant: "off", enabled: true, rules: [] };
export const flags = [
  { ...keep, key: "banner", type: "boolean", variants: onOff },
  {
    ...keep,
    key: "market",
    type: "boolean",
    variants: onOff,
    rules: [{ when: { country: "US" }, serve: "on" }],
  },
  {
    ...keep,
    key: "colour",
    type: "string",
    variants: [{ key: "blue", value: "#00f" }],
    defaultVariant: "blue",
  },
  {
    ...keep,
    key: "limit",
    type: "number",
    variants: [{ key: "ten", value: 10 }],
    defaultVariant: "ten",
  },
  {
    ...keep,
    key: "ratio",
    type: "number",
    variants: [{ key: "half", value: 0.5 }],
    defaultVariant: "half",
  },
  {
    ...keep,
    key: "theme",
    type: "object",
    variants: [{ key: "dark", value: { dark: true, sizes: [1, 2] } }],
    defaultVariant: "dark",
  },
  { ...keep, key: "ended", type: "boolean", variants: onOff, enabled: false },
  { ...keep, key: "stopped", type: "boolean", variants: onOff, enabled: false, offVariant: "off" },
  {
    ...keep,
    key: "split",
    type: "boolean",
    variants: onOff,
    rules: [{ when: { country: "NZ" }, serve: "on" }, { split: [{ variant: "on", weight: 100 }] }],
  },
];
