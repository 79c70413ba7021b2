/** The keys of KV CONFIG. Every value is written from CONTROL alone and can be rebuilt from it. */

export const configKeys = {
  snapshot: (environmentId: string) => `snapshot/${environmentId}`,
  counting: (environmentId: string) => `counting/${environmentId}`,
  apiKey: (sha256: string) => `key/${sha256}`,
  /** `customer/environment` → the environment's id. */
  environment: (name: string) => `environment/${name}`,
} as const;
