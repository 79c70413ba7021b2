/** Kept in every row of a ledger. Raised whenever the same cells could give other figures or decisions than before; docs/statistics.md says what changed. */
export const analysisVersion = 2;
