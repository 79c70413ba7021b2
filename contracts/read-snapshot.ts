/**
 * Reads a snapshot as published. An isolate does so while it serves, and for thousands of flags the schema takes ten times as long as
 * everything else; so it is asked only what is wrong with a text that is no snapshot.
 */

import * as z from "zod/mini";
import type {
  Experiment,
  Flag,
  Holdout,
  Rule,
  Segment,
  Slot,
  Snapshot,
  Variant,
  WeightedVariant,
} from "../core/types.ts";
import { isRecord } from "../core/values.ts";
import { snapshot } from "./snapshot.ts";

/** Throws when the text is no snapshot. */
export function readSnapshot(text: string): Snapshot {
  const json: unknown = JSON.parse(text);
  return isSnapshot(json) ? json : z.parse(snapshot, json);
}

/** What the schema takes, and nothing else. */
export function isSnapshot(json: unknown): json is Snapshot {
  return (
    isRecord(json) &&
    json["formatVersion"] === 1 &&
    isString(json["environment"]) &&
    isNumber(json["version"]) &&
    isListOf(json["flags"], isFlag) &&
    isListOf(json["experiments"], isExperiment) &&
    isListOf(json["holdouts"], isHoldout) &&
    isListOf(json["segments"], isSegment)
  );
}

function isFlag(json: unknown): json is Flag {
  return (
    isRecord(json) &&
    isString(json["key"]) &&
    isFlagType(json["type"]) &&
    isListOf(json["variants"], isVariant) &&
    isString(json["defaultVariant"]) &&
    isAbsentOr(json, "offVariant", isString) &&
    isBoolean(json["enabled"]) &&
    isString(json["salt"]) &&
    isAbsentOr(json, "overrides", isOverrides) &&
    isAbsentOr(json, "prerequisites", (value) => isListOf(value, isPrerequisite)) &&
    isListOf(json["rules"], isRule)
  );
}

function isVariant(json: unknown): json is Variant {
  return isRecord(json) && isString(json["key"]) && json["value"] !== undefined;
}

function isOverrides(json: unknown): boolean {
  return isRecord(json) && Object.values(json).every((units) => isListOf(units, isString));
}

function isPrerequisite(json: unknown): boolean {
  return isRecord(json) && isString(json["flag"]) && isListOf(json["variants"], isString);
}

function isRule(json: unknown): json is Rule {
  if (!isRecord(json) || !isAbsentOr(json, "when", isRecord)) return false;
  if (isString(json["experiment"]) || isString(json["serve"])) return true;
  return (
    isString(json["unit"]) &&
    isAbsentOr(json, "rolloutBasisPoints", isNumber) &&
    isListOf(json["split"], isWeightedVariant)
  );
}

function isWeightedVariant(json: unknown): json is WeightedVariant {
  return isRecord(json) && isString(json["variant"]) && isNumber(json["weightBasisPoints"]);
}

function isExperiment(json: unknown): json is Experiment {
  return (
    isRecord(json) &&
    isString(json["key"]) &&
    json["hashVersion"] === 1 &&
    isNumber(json["phase"]) &&
    isString(json["salt"]) &&
    isString(json["unit"]) &&
    isString(json["control"]) &&
    isListOf(json["variants"], isWeightedVariant) &&
    isAbsentOr(json, "targeting", isRecord) &&
    isStringOrNull(json["layer"]) &&
    isString(json["layerSalt"]) &&
    isListOf(json["slots"], isSlot) &&
    isAbsentOr(json, "dimensions", (value) => isListOf(value, isString)) &&
    isAbsentOr(json, "startAt", isNumber) &&
    isAbsentOr(json, "endAt", isNumber)
  );
}

function isSlot(json: unknown): json is Slot {
  return isListOf(json, isNumber) && json.length === 2;
}

function isHoldout(json: unknown): json is Holdout {
  return (
    isRecord(json) &&
    isString(json["key"]) &&
    isString(json["salt"]) &&
    isString(json["unit"]) &&
    isNumber(json["basisPoints"]) &&
    isStringOrNull(json["layer"])
  );
}

function isSegment(json: unknown): json is Segment {
  return isRecord(json) && isString(json["key"]) && Array.isArray(json["values"]);
}

function isFlagType(json: unknown): boolean {
  return json === "boolean" || json === "string" || json === "number" || json === "object";
}

function isString(json: unknown): json is string {
  return typeof json === "string";
}

function isStringOrNull(json: unknown): boolean {
  return json === null || typeof json === "string";
}

function isNumber(json: unknown): json is number {
  return typeof json === "number" && Number.isFinite(json);
}

function isBoolean(json: unknown): json is boolean {
  return typeof json === "boolean";
}

function isListOf<T>(json: unknown, isItem: (item: unknown) => item is T): json is T[];
function isListOf(json: unknown, isItem: (item: unknown) => boolean): boolean;
function isListOf(json: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(json) && json.every((item) => isItem(item));
}

function isAbsentOr(
  record: Record<string, unknown>,
  field: string,
  isValue: (value: unknown) => boolean,
): boolean {
  const value = record[field];
  return value === undefined || isValue(value);
}
