import Type, { type Static } from 'typebox';
import { promptLanguages, type Language } from '../challenge/languages.js';

const closed = { additionalProperties: false } as const;

/** Up to `failuresBeforeWait` free failures, then waits that grow, then disabled until an operator unlocks. */
const waitsLadder = Type.Object(
  {
    kind: Type.Literal('waits'),
    /** The failure that brings the first wait. */
    failuresBeforeWait: Type.Integer({ minimum: 1, maximum: 20 }),
    firstWaitSeconds: Type.Integer({ minimum: 1, maximum: 86_400 }),
    /** Each further failure multiplies the wait by this. */
    waitGrowth: Type.Number({ minimum: 1, maximum: 10 }),
    maxWaitSeconds: Type.Integer({ minimum: 1, maximum: 604_800 }),
    /** The failure that disables the account's verification. */
    disableAtFailures: Type.Integer({ minimum: 2, maximum: 100 }),
  },
  closed,
);

/** So many wrong PINs, then a fixed lock; a wider bound for all counted failures together. */
const operatorLadder = Type.Object(
  {
    kind: Type.Literal('operator'),
    wrongPins: Type.Integer({ minimum: 1, maximum: 20 }),
    /** Counted failures of any kind (voice, text, PIN) that lock as well. */
    failures: Type.Integer({ minimum: 1, maximum: 100 }),
    lockHours: Type.Number({ minimum: 0.1, maximum: 720 }),
  },
  closed,
);

/** Figures of the default policy, switched off. */
const passiveOff = {
  enabled: false,
  voiceAloneOpensLow: false,
  targetFmr: { low: 0.01, standard: 0.003, high: 0.001 },
  targetFnmr: 0.02,
  maxNetSpeechSeconds: 40,
  maxSeconds: 180,
};

/** The two shapes of the attempt ladder by `kind`, so that an error can be told against the shape that was meant. */
export const ladderShapes = { waits: waitsLadder, operator: operatorLadder } as const;

/**
 * What a tenant decides about. A field that came after the first release has a `default`, which documents from before it get. One document holds every threshold and limit; it is stored as data, versioned, and each
 * verification names the version that judged it. LLRs are natural logarithms, cosines lie in [-1, 1].
 */
export const policyDocument = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 80 }),
    challenge: Type.Object(
      {
        digits: Type.Integer({ minimum: 6, maximum: 10 }),
        validitySeconds: Type.Integer({ minimum: 30, maximum: 600 }),
        /** Open challenges per account; a further one lets the oldest expire. */
        maxOpen: Type.Integer({ minimum: 1, maximum: 10 }),
        /** Mandarin prompts read 1 as 幺 instead of 一. */
        sayYaoForOne: Type.Boolean(),
        /** Languages whose phrase check counts although the recogniser missed its target in them (see its card). */
        trustedExperimentalLanguages: Type.Unsafe<readonly Language[]>(
          Type.Array(Type.String({ enum: Object.keys(promptLanguages) }), { default: [], maxItems: 20 }),
        ),
      },
      closed,
    ),
    pin: Type.Object({ digits: Type.Integer({ minimum: 4, maximum: 12 }) }, closed),
    enrolment: Type.Object(
      {
        /** Accepted utterances that a voiceprint needs. */
        utterances: Type.Integer({ minimum: 2, maximum: 10 }),
        /** Net speech that they need together. */
        netSpeechSeconds: Type.Number({ minimum: 2, maximum: 120 }),
        minUtteranceNetSpeechSeconds: Type.Number({ minimum: 0.5, maximum: 30 }),
        /** Every pair of utterances must be at least this alike. */
        selfConsistencyCosine: Type.Number({ minimum: -1, maximum: 1 }),
        /** Digits in each prompt. */
        promptDigits: Type.Integer({ minimum: 4, maximum: 12 }),
        /** Life of an enrolment that is not completed. */
        validitySeconds: Type.Integer({ minimum: 60, maximum: 86_400 }),
        /** Accepted utterances after which no more are taken. */
        maxUtterances: Type.Integer({ minimum: 2, maximum: 20 }),
        /** An utterance that is so much like the agent who leads the enrolment is not kept. */
        agentVoiceLlr: Type.Number({ default: 1, minimum: -50, maximum: 50 }),
        /** How long the key that made an enrolment by an agent may undo it; 0: never. */
        undoMinutes: Type.Number({ default: 10, minimum: 0, maximum: 60 }),
      },
      closed,
    ),
    /** Whether a voice that enrols is looked for among the voiceprints of other accounts. */
    duplicates: Type.Object(
      {
        /** `flag`: the print is made, the security team gets the finding. `refuse`: no print is made before the team has looked. */
        whenFound: Type.Unsafe<'off' | 'flag' | 'refuse'>(Type.String({ enum: ['off', 'flag', 'refuse'] })),
        /** Share of the enrolments of new voices that may be taken for somebody else's; the threshold follows from it and the number of prints. */
        falseAlarmsPerEnrolment: Type.Number({ minimum: 0.000001, maximum: 0.5 }),
      },
      // What policies stored before this meant: nobody was looked for.
      { ...closed, default: { whenFound: 'off', falseAlarmsPerEnrolment: 0.01 } },
    ),
    quality: Type.Object(
      {
        minNetSpeechSeconds: Type.Number({ minimum: 0.3, maximum: 30 }),
        minSnrDb: Type.Number({ minimum: -10, maximum: 60 }),
        maxClippingShare: Type.Number({ minimum: 0, maximum: 1 }),
        minSpeechLevelDbfs: Type.Number({ minimum: -90, maximum: 0 }),
        minBandwidthHz: Type.Number({ minimum: 0, maximum: 4000 }),
        /** Smallest cosine between windows of one utterance; null switches the check off. */
        multipleSpeakersBelowCosine: Type.Union([Type.Number({ minimum: -1, maximum: 1 }), Type.Null()]),
      },
      closed,
    ),
    tiers: Type.Object(
      {
        /** Below this the voice is another's: REJECT at every tier. */
        rejectBelowLlr: Type.Number({ minimum: -50, maximum: 50 }),
        low: Type.Object({ minVoiceLlr: Type.Number({ minimum: -50, maximum: 50 }) }, closed),
        standard: Type.Object({ minVoiceLlr: Type.Number({ minimum: -50, maximum: 50 }) }, closed),
        /** Of voice, phrase and PIN together, see scoring/fusion.ts. */
        high: Type.Object({ minFusedLlr: Type.Number({ minimum: -50, maximum: 50 }) }, closed),
      },
      closed,
    ),
    /** Free speech in place of a challenge: what it may open, and how sure it must be. */
    passive: Type.Object(
      {
        enabled: Type.Boolean(),
        /** The low tier opens on the voice alone; else it asks for the right PIN or an agent who knows who is calling, as standard always does. */
        voiceAloneOpensLow: Type.Boolean(),
        /** Wald's bounds come from these, see sequential.ts. */
        targetFmr: Type.Object(
          {
            low: Type.Number({ minimum: 0.000001, maximum: 0.2 }),
            standard: Type.Number({ minimum: 0.000001, maximum: 0.2 }),
            high: Type.Number({ minimum: 0.000001, maximum: 0.2 }),
          },
          closed,
        ),
        targetFnmr: Type.Number({ minimum: 0.0001, maximum: 0.4 }),
        /** Undecided after this much speech, or this long a call: INCONCLUSIVE. */
        maxNetSpeechSeconds: Type.Number({ minimum: 3, maximum: 300 }),
        maxSeconds: Type.Number({ minimum: 5, maximum: 3600 }),
      },
      // What policies stored before there was passive verification meant.
      { ...closed, default: passiveOff },
    ),
    /** A younger print is not good for the high tier; one that replaced another is good for the low tier only. */
    newVoiceprintHours: Type.Number({ minimum: 0, maximum: 720 }),
    /** CONTINUE answers in one call; the next would be STEP_UP. */
    continuesPerCall: Type.Integer({ minimum: 0, maximum: 10 }),
    /** How long an ACCEPT may serve as the proof for a new voiceprint or PIN. */
    proofMinutes: Type.Number({ minimum: 1, maximum: 60 }),
    attempts: Type.Union([waitsLadder, operatorLadder]),
    /**
     * Change of the speaker model without an enrolment day. A policy of an older build reads as one that allows nothing.
     */
    modelChange: Type.Object(
      {
        /** The model for which calls accepted at the high tier may quietly make a print beside the account's; null: for none. */
        quietPrintsOf: Type.Union([Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$' }), Type.Null()]),
        /** Of the old print's model: a call with less gives no utterance, although it was accepted. */
        minVoiceLlr: Type.Number({ minimum: -50, maximum: 50 }),
      },
      { ...closed, default: { quietPrintsOf: null, minVoiceLlr: 6.5 } },
    ),
    /** Counted failures by caller's line and by API key. null: no limit. A key is a whole IVR: size its limits to its traffic. */
    velocity: Type.Object(
      {
        windowSeconds: Type.Integer({ minimum: 60, maximum: 86_400 }),
        maxDistinctAccountsPerLine: Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.Null()]),
        maxFailuresPerLine: Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.Null()]),
        maxDistinctAccountsPerKey: Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.Null()]),
        maxFailuresPerKey: Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.Null()]),
      },
      closed,
    ),
  },
  closed,
);

/** A policy as data; see `policyDocument` for the meaning and range of every field. */
export type PolicyDocument = Static<typeof policyDocument>;

/** The attempt ladder of a policy, a union on `kind`. */
export type AttemptPolicy = PolicyDocument['attempts'];
