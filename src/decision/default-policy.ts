import type { AttemptPolicy, PolicyDocument } from './policy-schema.js';

/**
 * Five free failures, then waits that grow from 30 s, disabled at fifty. The three figures (5, 30 s, 50) are those that the
 * second public draft of NIST SP 800-63B-4 gave for biometric comparison without presentation attack detection. No conformity
 * is claimed: that text wants biometrics only beside a physical authenticator, and its final version does not allow voice.
 */
export const nistDraftLadder: AttemptPolicy = {
  kind: 'waits',
  failuresBeforeWait: 5,
  firstWaitSeconds: 30,
  waitGrowth: 2,
  maxWaitSeconds: 3600,
  disableAtFailures: 50,
};

/** What operators' service numbers do with a service password: three wrong PINs close it for a day. */
export const operatorLadder: AttemptPolicy = { kind: 'operator', wrongPins: 3, failures: 10, lockHours: 24 };

/** The policy of a tenant that has set none. The measurements behind its limits and thresholds: README.md of this room. */
export const defaultPolicy: PolicyDocument = {
  name: 'default',
  challenge: { digits: 8, validitySeconds: 120, maxOpen: 3, sayYaoForOne: false, trustedExperimentalLanguages: [] },
  pin: { digits: 6 },
  enrolment: {
    utterances: 3,
    netSpeechSeconds: 8,
    minUtteranceNetSpeechSeconds: 1.5,
    selfConsistencyCosine: 0.2,
    promptDigits: 8,
    validitySeconds: 1800,
    maxUtterances: 6,
    agentVoiceLlr: 1,
    undoMinutes: 10,
  },
  duplicates: { whenFound: 'flag', falseAlarmsPerEnrolment: 0.01 },
  quality: {
    minNetSpeechSeconds: 1.2,
    minSnrDb: 3,
    maxClippingShare: 0.05,
    minSpeechLevelDbfs: -45,
    minBandwidthHz: 800,
    multipleSpeakersBelowCosine: 0.16,
  },
  tiers: {
    rejectBelowLlr: -2,
    low: { minVoiceLlr: 3.5 },
    standard: { minVoiceLlr: 4.5 },
    high: { minFusedLlr: 6 },
  },
  passive: {
    enabled: true,
    voiceAloneOpensLow: false,
    targetFmr: { low: 0.01, standard: 0.003, high: 0.001 },
    targetFnmr: 0.02,
    maxNetSpeechSeconds: 40,
    maxSeconds: 180,
  },
  newVoiceprintHours: 24,
  continuesPerCall: 3,
  proofMinutes: 10,
  attempts: nistDraftLadder,
  modelChange: { quietPrintsOf: null, minVoiceLlr: 6.5 },
  velocity: {
    windowSeconds: 3600,
    maxDistinctAccountsPerLine: 5,
    maxFailuresPerLine: 20,
    maxDistinctAccountsPerKey: 1000,
    maxFailuresPerKey: 3000,
  },
};
