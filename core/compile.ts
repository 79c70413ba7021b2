/**
 * From a snapshot, as published, to what `evaluate` reads. A flag is compiled when it is first asked for, so that a
 * snapshot of thousands costs nothing until it is used. Never throws and never changes the snapshot.
 */
import { compileFlag, type CompiledFlag, type Scope } from "./compile-flag.ts";
import { prerequisiteDepths } from "./prerequisites.ts";
import type { Experiment, Flag, Holdout, Snapshot } from "./types.ts";

/** A snapshot made ready for `evaluate`, safe to share between requests: an answer never depends on earlier ones. */
export interface CompiledSnapshot {
  readonly environment: string;
  readonly version: number;
  /** By key, in the snapshot's order, as published. */
  readonly flags: ReadonlyMap<string, Flag>;
  /** Those that run, by key, as published. */
  readonly experiments: ReadonlyMap<string, Experiment>;
  readonly compiledFlag: (key: string) => CompiledFlag | undefined;
}

/** The holdouts that keep units out of a layer's experiments: the environment's and the layer's own. */
function holdoutsByLayer(holdouts: readonly Holdout[]): Scope["holdoutsOf"] {
  const everywhere = holdouts.filter((holdout) => holdout.layer === null);
  const layers = new Set(holdouts.map((holdout) => holdout.layer));
  const byLayer = new Map(
    [...layers].map((layer) => [
      layer,
      holdouts.filter((holdout) => holdout.layer === null || holdout.layer === layer),
    ]),
  );
  return (layer) => byLayer.get(layer) ?? everywhere;
}

/** Makes a snapshot ready to be evaluated any number of times. */
export function compile(snapshot: Snapshot): CompiledSnapshot {
  const flags = new Map(snapshot.flags.map((flag) => [flag.key, flag]));
  const experiments = new Map(
    snapshot.experiments.map((experiment) => [experiment.key, experiment]),
  );
  const scope: Scope = {
    segments: new Map(snapshot.segments.map(({ key, values }) => [key, new Set(values)])),
    experiments,
    holdoutsOf: holdoutsByLayer(snapshot.holdouts),
    depths: prerequisiteDepths(snapshot.flags),
  };
  const ready = new Map<string, CompiledFlag>();
  return {
    environment: snapshot.environment,
    version: snapshot.version,
    flags,
    experiments,
    compiledFlag: (key) => {
      const known = ready.get(key);
      if (known !== undefined) return known;
      const flag = flags.get(key);
      if (flag === undefined) return undefined;
      const compiled = compileFlag(flag, scope);
      ready.set(key, compiled);
      return compiled;
    },
  };
}
