import { Value } from 'typebox/value';
import { VoicegateError } from '../errors.js';
import { ladderShapes, policyDocument, type PolicyDocument } from './policy-schema.js';

export { policyDocument, type AttemptPolicy, type PolicyDocument } from './policy-schema.js';
export { defaultPolicy, nistDraftLadder, operatorLadder } from './default-policy.js';

/**
 * Checks a policy that came from outside: every field present (but for those with a default), in range and known, and the fields sensible together.
 * @returns a deep copy, so that the caller's object may change afterwards
 * @throws VoicegateError `policy_invalid` naming the field, its value and the range (details: field)
 */
export function parsePolicy(value: unknown): PolicyDocument {
  const document = readStoredPolicy(value);
  const fault = shapeFault(document);
  if (fault !== null) throw invalid(fault);
  for (const rule of crossRules(document)) {
    if (!rule.holds) throw invalid(rule);
  }
  return document;
}

/**
 * A policy that was checked when it was stored, perhaps by an earlier release: fields that came later get their defaults.
 * @returns a deep copy
 */
export function readStoredPolicy(value: unknown): PolicyDocument {
  return Value.Default(policyDocument, structuredClone(value)) as PolicyDocument;
}

interface Fault {
  readonly field: string;
  /** What was wrong. */
  readonly message: string;
  /** What would be right. */
  readonly hint: string;
}

function invalid({ field, message, hint }: Fault): VoicegateError {
  return new VoicegateError('policy_invalid', message, { hint, details: { field } });
}

function shapeFault(value: unknown): Fault | null {
  const errors = Value.Errors(policyDocument, value);
  const first = errors.find((error) => !isAboutLadder(error.instancePath));
  if (first !== undefined) return describe(first, value, '');
  if (errors.length === 0) return null;
  // The errors of a union speak of every branch at once: say instead what is wrong with the branch that was meant.
  const ladder = (value as { attempts: unknown }).attempts;
  const kind = (ladder as { kind?: unknown } | null)?.kind;
  if (kind !== 'waits' && kind !== 'operator') {
    return { field: 'attempts.kind', message: `attempts.kind is ${show(kind)}`, hint: 'one of "waits", "operator"' };
  }
  const [fault] = Value.Errors(ladderShapes[kind], ladder);
  return fault === undefined ? null : describe(fault, ladder, 'attempts');
}

const isAboutLadder = (path: string): boolean => path === '/attempts' || path.startsWith('/attempts/');

type SchemaError = ReturnType<typeof Value.Errors>[number];

function describe(error: SchemaError, root: unknown, prefix: string): Fault {
  const path = error.instancePath.split('/').slice(1);
  const at = (...names: string[]): string => [prefix, ...path, ...names].filter((name) => name !== '').join('.');
  switch (error.keyword) {
    case 'required': {
      const field = at(error.params.requiredProperties[0] ?? '');
      return { field, message: `${field} is missing`, hint: 'a policy states every field; start from the active one' };
    }
    case 'boolean':
    case 'additionalProperties': {
      const field = error.keyword === 'boolean' ? at() : at(error.params.additionalProperties[0] ?? '');
      return { field, message: `${field} is not a field of a policy`, hint: 'leave it out' };
    }
    case 'enum': {
      const allowed = error.params.allowedValues.map(show).join(', ');
      const found = path.reduce<unknown>((node, name) => (node as Record<string, unknown> | null)?.[name], root);
      return { field: at(), message: `${at()} is ${show(found)}`, hint: `one of ${allowed}` };
    }
    default: {
      const field = at() || 'policy';
      const found = path.reduce<unknown>((node, name) => (node as Record<string, unknown> | null)?.[name], root);
      return { field, message: `${field} is ${show(found)}`, hint: `${field} ${rangeOf(field) ?? error.message}` };
    }
  }
}

/** The whole range of a numeric field in words, from its schema; null for anything else. */
function rangeOf(field: string): string | null {
  const schema = field
    .split('.')
    .reduce<unknown>(
      (node, name) => (node as { properties?: Record<string, unknown> } | undefined)?.properties?.[name],
      {
        properties: { ...policyDocument.properties, attempts: { properties: ladderProperties } },
      },
    ) as { minimum?: number; maximum?: number; type?: string; anyOf?: (typeof schema)[] } | undefined;
  const numeric = schema?.anyOf?.[0] ?? schema;
  if (numeric?.minimum === undefined || numeric.maximum === undefined) return null;
  const kind = numeric.type === 'integer' ? 'a whole number' : 'a number';
  const orNull = schema?.anyOf === undefined ? '' : ', or null for no limit';
  return `must be ${kind} from ${numeric.minimum} to ${numeric.maximum}${orNull}`;
}

const ladderProperties = { ...ladderShapes.waits.properties, ...ladderShapes.operator.properties };

/** The value as JSON, cut short; a policy holds no secrets. */
function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'missing');
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

interface CrossRule extends Fault {
  readonly holds: boolean;
}

function crossRules(policy: PolicyDocument): CrossRule[] {
  const { tiers, enrolment, modelChange, attempts, passive } = policy;
  const ordered = (lower: string, low: number, upper: string, high: number, strictly: boolean): CrossRule => ({
    holds: strictly ? low < high : low <= high,
    field: upper,
    message: `${upper} is ${high} and ${lower} is ${low}`,
    hint: `${lower} must be ${strictly ? 'below' : 'at most'} ${upper}`,
  });
  const lowName = 'tiers.low.minVoiceLlr';
  const standardName = 'tiers.standard.minVoiceLlr';
  const { low, standard, high } = tiers;
  return [
    ordered('tiers.rejectBelowLlr', tiers.rejectBelowLlr, lowName, low.minVoiceLlr, true),
    ordered(lowName, low.minVoiceLlr, standardName, standard.minVoiceLlr, false),
    ordered(standardName, standard.minVoiceLlr, 'tiers.high.minFusedLlr', high.minFusedLlr, false),
    ...(modelChange.quietPrintsOf === null
      ? []
      : [ordered(standardName, standard.minVoiceLlr, 'modelChange.minVoiceLlr', modelChange.minVoiceLlr, false)]),
    ordered('enrolment.utterances', enrolment.utterances, 'enrolment.maxUtterances', enrolment.maxUtterances, false),
    {
      holds: enrolment.utterances * enrolment.promptDigits >= 10,
      field: 'enrolment.promptDigits',
      message: `enrolment.promptDigits is ${enrolment.promptDigits}: ${enrolment.utterances} prompts cannot hold all ten digits`,
      hint: 'enrolment.utterances times enrolment.promptDigits must be at least 10',
    },
    ordered(
      'passive.targetFmr.standard',
      passive.targetFmr.standard,
      'passive.targetFmr.low',
      passive.targetFmr.low,
      false,
    ),
    ordered(
      'passive.targetFmr.high',
      passive.targetFmr.high,
      'passive.targetFmr.standard',
      passive.targetFmr.standard,
      false,
    ),
    ...(attempts.kind === 'waits'
      ? [
          ordered(
            'attempts.failuresBeforeWait',
            attempts.failuresBeforeWait,
            'attempts.disableAtFailures',
            attempts.disableAtFailures,
            true,
          ),
          ordered(
            'attempts.firstWaitSeconds',
            attempts.firstWaitSeconds,
            'attempts.maxWaitSeconds',
            attempts.maxWaitSeconds,
            false,
          ),
        ]
      : [ordered('attempts.wrongPins', attempts.wrongPins, 'attempts.failures', attempts.failures, false)]),
  ];
}
