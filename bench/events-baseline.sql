CREATE TABLE exposure (
  environment TEXT NOT NULL, experiment TEXT NOT NULL, phase INTEGER, kind TEXT NOT NULL, unit TEXT NOT NULL,
  variant TEXT NOT NULL, time_ms INTEGER NOT NULL, attributes TEXT,
  PRIMARY KEY (environment, experiment, kind, unit, variant)
) WITHOUT ROWID;
CREATE TABLE outcome (
  environment TEXT NOT NULL, kind TEXT NOT NULL, unit TEXT NOT NULL, id TEXT NOT NULL,
  name TEXT NOT NULL, value REAL, time_ms INTEGER NOT NULL,
  PRIMARY KEY (environment, kind, unit, id)
) WITHOUT ROWID;
