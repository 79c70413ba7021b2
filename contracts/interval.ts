/** Of an estimate, in its unit. */
export type Interval = readonly [lower: number, upper: number];
