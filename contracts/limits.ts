/** The limits that Edgewise keeps, in one place: the platform's (docs/operations.md says whose) and our own, stricter ones. */

export const limits = {
  /** Queues: a message is 128,000 bytes at most, about 100 of them metadata. The local journal adds up to 64. */
  queueMessageBytes: 127_800,
  /** Queues: `sendBatch` takes 100 messages or 256,000 bytes at most. */
  queueBatchMessages: 100,
  queueBatchBytes: 250_000,
  /** D1: a string, BLOB or row is 2 MB at most; JSON parameters stay well below. */
  d1ParameterBytes: 900_000,
  /** R2: keys a list gives, and a delete takes. */
  r2Keys: 1_000,
  /** KV takes 25 MiB a value, but an isolate has 128 MB, and holds two versions of one while it refreshes: about twelve times the text. */
  snapshotBytes: 10_000_000,

  /** POST /api/v1/events/batch */
  batchEvents: 1_000,
  batchBytes: 1_000_000,
  /** Other request bodies. */
  bodyBytes: 1_000_000,
  evaluateBodyBytes: 256_000,
  evaluateFlags: 1_000,

  /** The edits of one variant, as JSON: they are in every snapshot, and compiled in every isolate. */
  pageEditsLength: 50_000,

  keyLength: 100,
  unitLength: 256,
  eventIdLength: 128,
  eventNameLength: 100,
  /** Serialised attributes or properties of one event. */
  eventAttributesBytes: 4_000,
  kindLength: 64,
  sdkLength: 64,
  /** Of an outcome's value, either way: squares and sums stay far from infinity. */
  outcomeValue: 1e15,

  /** KV reaches every place within 60 s as a rule, and isolates remember for 10 s. */
  propagationSeconds: 70,

  /** Of imports, too: what is earlier is an unset date. */
  eventEarliestMs: Date.UTC(2000, 0, 1),
  eventMaxAgeMs: 3 * 24 * 3_600_000,
  eventMaxFutureMs: 5 * 60_000,
  clockSkewMs: 2_000,
} as const;
